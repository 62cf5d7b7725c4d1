#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "tuner/base/json.h"
#include "tuner/base/rng.h"
#include "tuner/space/counting.h"
#include "tuner/space/encoding_column.h"
#include "tuner/space/path.h"

namespace hyperfd {

// One entry of a search space: what stands behind a key. Immutable.
// A new `_type` is a subclass and a line in the table of dimension.cpp.
class Dimension {
 public:
  virtual ~Dimension() = default;

  // Number of distinct values.
  virtual Count size() const = 0;
  // The value with this index, index < size().
  virtual Json at(std::uint64_t index) const = 0;
  virtual Json sample(Rng& rng) const = 0;

  // What mutate() may change in `value`: itself, and in nested choices what is active below it. 0 if there is no other
  // value.
  virtual std::size_t mutable_parts(const Json& value) const;
  // `value` with part `part` < mutable_parts() changed to another value, near the old one where there is an order:
  // `reach`, of (0, 1], makes a number's steps that much smaller.
  virtual Json mutate(const Json& value, std::size_t part, Rng& rng, double reach) const = 0;

  // Throws InputError when `value` is not one of this dimension's.
  virtual void check(const Json& value, const Path& path) const = 0;

  // encode() writes encoding_size() numbers of [0, 1] to `out`, which comes filled with zeros. Throws InputError for a
  // value that cannot be encoded. Depends on the canonical form alone, so spaces of one signature encode alike.
  virtual std::size_t encoding_size() const = 0;
  virtual void encode(const Json& value, const Path& path, float* out) const = 0;
  // Appends what encode() writes, encoding_size() columns, all with this mask around them; by default one feature.
  virtual void describe_encoding(std::ptrdiff_t mask, EncodingColumns& columns) const;

  // Equal for equal dimensions, however they are written.
  virtual Json canonical() const = 0;

 protected:
  // A draw that differs from `value`; after many that do not, whatever was drawn last.
  Json sample_other(const Json& value, Rng& rng) const;
};

// What a `_type` is made from: its `_value`, which parse_dimension() has found to be an array.
struct DimensionSource {
  const std::string& type;
  const Json& value;
  const Path& path;           // of `value`
  std::size_t& options_left;  // how many more choices and keys the whole space may have
};

// Throws InputError. `path` is of `definition`.
std::unique_ptr<Dimension> parse_dimension(const Json& definition, const Path& path, std::size_t& options_left);

// Counts one more choice or key; throws InputError when the space has too many.
void count_option(std::size_t& options_left, const Path& path);

// The finite number at `path`. Also takes text like "1e-4", as NNI's tuners do: PyYAML reads an unquoted 1e-4 as a
// string.
double parse_number(const Json& value, const Path& path);

// Throws InputError unless source.value has `names.size()` elements; the message lists the names.
std::vector<double> parse_numbers(const DimensionSource& source, const std::vector<std::string>& names);

}  // namespace hyperfd
