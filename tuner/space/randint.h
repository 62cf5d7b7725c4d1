#pragma once

#include <memory>

#include "tuner/space/dimension.h"

namespace hyperfd {

// `randint` [low, high): integers, the upper bound excluded as in NNI. Encoding: the value normalised to [0, 1].
class Randint : public Dimension {
 public:
  Randint(std::int64_t low, std::int64_t high) : low_(low), high_(high) {}

  Count size() const override { return static_cast<std::uint64_t>(high_ - low_); }
  Json at(std::uint64_t index) const override { return low_ + static_cast<std::int64_t>(index); }
  Json sample(Rng& rng) const override { return at(rng.below(*size())); }
  Json mutate(const Json& value, std::size_t part, Rng& rng, double reach) const override;
  void check(const Json& value, const Path& path) const override;
  std::size_t encoding_size() const override { return 1; }
  void encode(const Json& value, const Path& path, float* out) const override;
  Json canonical() const override { return {{"randint", {low_, high_}}}; }

 private:
  std::int64_t low_, high_;
};

std::unique_ptr<Dimension> make_randint(const DimensionSource& source);

}  // namespace hyperfd
