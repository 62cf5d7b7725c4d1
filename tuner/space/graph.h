#pragma once

#include <cstddef>
#include <utility>
#include <vector>

namespace hyperfd {

// The data flow of one architecture, as the GIN encoder reads it. Nodes are operators, in the order in which data
// passes them; node 0 is the input. The layout of the features is the same for all configurations of one annotated
// space: a one-hot of the operator, then numbers in [0, 1] (kernel, expansion, width, stride, stage, depth in the
// stage).
struct Graph {
  std::size_t feature_size = 0;
  std::vector<float> features;             // nodes × feature_size, row by row
  std::vector<std::pair<int, int>> edges;  // from → to, from < to; without repetitions

  std::size_t nodes() const { return feature_size == 0 ? 0 : features.size() / feature_size; }
};

}  // namespace hyperfd
