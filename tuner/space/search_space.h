#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tuner/base/rng.h"
#include "tuner/space/configuration.h"
#include "tuner/space/encoding_column.h"

namespace hyperfd {

// A parsed NNI search space: choice (nested too), randint, uniform, quniform, loguniform, qloguniform, normal, qnormal,
// lognormal, qlognormal. Immutable; all methods may be called from any thread.
class SearchSpace {
 public:
  // Throws InputError whose message starts with the path of the offending value:
  // `lr._value[0]: expected a number, got "abc"`.
  static SearchSpace parse(const Json& definition);
  // From a .json or .yaml file; errors name the file first.
  static SearchSpace load(const std::string& file);

  // The part of this space that has just these points, e.g. those of a lookup table: at(i) is points[i], draws are
  // uniform, anything else is not a point. Encoding and signature are the whole space's. Throws InputError, as check()
  // does, for what is not a point of this space, comes twice, or is none at all.
  SearchSpace only(std::vector<Configuration> points) const;

  SearchSpace(SearchSpace&&) noexcept;
  SearchSpace& operator=(SearchSpace&&) noexcept;
  ~SearchSpace();

  const Json& definition() const;

  // Equal for equal spaces, whatever the order of their keys: experience is shared between tasks of one signature.
  const std::string& signature() const;

  // Differs between spaces that are written differently or have other points, whose at() may differ.
  const std::string& identity() const;

  // Number of distinct configurations; nullopt when a dimension is continuous or unbounded. Saturates at 2^64 − 1.
  std::optional<std::uint64_t> size() const;
  // The configuration with this index, 0 ≤ index < size(); the last key varies fastest. Throws std::out_of_range
  // otherwise.
  Configuration at(std::uint64_t index) const;

  // One draw from the distributions that `_type` names.
  Configuration sample(Rng& rng) const;

  // A point of this space with one active dimension changed: to a near value where there is an order, to another
  // choice otherwise; another branch of a nested choice is sampled, except for keys that it shares with the old one.
  // The same configuration if the space has no other. In a part of a space (only()), what is not in it is replaced by a
  // draw. `configuration` must be a point of this space. `reach`, of (0, 1], makes the steps of numbers that much
  // smaller.
  Configuration mutate(const Configuration& configuration, Rng& rng, double reach = 1) const;

  // Throws InputError that names the path when `configuration` is not a point of this space
  // (missing or unknown key, value outside the choices or bounds).
  void check(const Configuration& configuration) const;

  // For the MLP encoder: one-hot of choices, normalised (log) value of numeric dimensions and of choices that are all
  // numbers, 0 for dimensions that are inactive (the one-hot of the nested choice around them is their mask). Every
  // number is in [0, 1]; encoding_size() of them. The same for all spaces of one signature. Throws InputError as
  // check() does.
  std::size_t encoding_size() const;
  std::vector<float> encode(const Configuration& configuration) const;
  // What the numbers of encode() are; encoding_size() of them.
  EncodingColumns encoding_columns() const;

 private:
  struct Impl;
  explicit SearchSpace(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace hyperfd
