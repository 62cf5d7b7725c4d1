#pragma once

#include <memory>
#include <optional>
#include <string>

#include "tuner/space/dimension.h"

namespace hyperfd {

// The eight real-valued types are one distribution (uniform or normal), drawn on a linear or a logarithmic scale, and
// rounded to multiples of a step or not: x = draw; log: x = exp(x); q: x = round(x / q) · q; uniform: clipped to its
// bounds. Rounding is to even at ties, in double, so that values are NNI's to the bit (0.1 · 3 = 0.30000000000000004).
// Encoding: the distribution function at the value, in [0, 1] for bounded and unbounded types alike.
class Real : public Dimension {
 public:
  Json sample(Rng& rng) const override;
  Json mutate(const Json& value, std::size_t part, Rng& rng, double reach) const override;
  std::size_t encoding_size() const override { return 1; }
  void check(const Json& value, const Path& path) const override;
  void encode(const Json& value, const Path& path, float* out) const override;

 protected:
  Real(std::string type, bool is_log, std::optional<double> step);

  // On the scale that is drawn on.
  virtual double draw(Rng& rng) const = 0;
  virtual double spread() const = 0;  // range, or standard deviation
  virtual double distribution_function(double x) const = 0;
  // On the scale of values.
  virtual double clip(double value) const { return value; }
  virtual std::string expected() const = 0;

  // From the scale that is drawn on to a value.
  double value_of(double x) const;

  std::string type_;  // NNI's name
  bool is_log_;
  std::optional<double> step_;
};

// uniform, quniform, loguniform, qloguniform: [low, high] or [low, high, q].
class Uniform : public Real {
 public:
  Uniform(std::string type, bool is_log, double low, double high, std::optional<double> step);

  Count size() const override;
  Json at(std::uint64_t index) const override;
  Json canonical() const override;

 protected:
  double draw(Rng& rng) const override;
  double spread() const override { return drawn_high_ - drawn_low_; }
  double distribution_function(double x) const override;
  double clip(double value) const override;
  std::string expected() const override;

 private:
  double low_, high_;              // of values
  double drawn_low_, drawn_high_;  // their logarithms on a logarithmic scale
  double first_multiple_ = 0;      // values are clip(k · q) for k from first to last
  double last_multiple_ = 0;
};

// normal, qnormal, lognormal, qlognormal: [mu, sigma] or [mu, sigma, q]; mu and sigma are of the logarithm for log
// types.
class Normal : public Real {
 public:
  Normal(std::string type, bool is_log, double mu, double sigma, std::optional<double> step);

  Count size() const override { return std::nullopt; }
  Json at(std::uint64_t index) const override;
  Json canonical() const override;

 protected:
  double draw(Rng& rng) const override { return mu_ + sigma_ * rng.normal(); }
  double spread() const override { return sigma_; }
  double distribution_function(double x) const override;
  std::string expected() const override;

 private:
  double mu_, sigma_;
};

std::unique_ptr<Dimension> make_uniform(const DimensionSource& source);
std::unique_ptr<Dimension> make_normal(const DimensionSource& source);

}  // namespace hyperfd
