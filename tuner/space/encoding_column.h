#pragma once

#include <cstddef>
#include <vector>

namespace hyperfd {

// How one number of SearchSpace::encode() is to be read.
struct EncodingColumn {
  // Columns of one feature are neighbours and are compared together: a single number, or the one-hot of a choice.
  std::size_t feature;
  // The column that is 1 where this one means anything, the bit of the branch around it; −1: it always does.
  std::ptrdiff_t mask;
  // The middle of what it can be: 1/2 of a number, 1/n of a one-hot of n.
  float middle;
  // It tells nothing that the feature before it does not, but order and distance: the number of a choice among numbers.
  bool repeats;
};

using EncodingColumns = std::vector<EncodingColumn>;

// Appends a feature of `count` columns.
inline void add_feature(EncodingColumns& columns, std::size_t count, std::ptrdiff_t mask) {
  const std::size_t feature = columns.empty() ? 0 : columns.back().feature + 1;
  columns.insert(columns.end(), count, {feature, mask, count == 1 ? 0.5f : 1.0f / static_cast<float>(count), false});
}

}  // namespace hyperfd
