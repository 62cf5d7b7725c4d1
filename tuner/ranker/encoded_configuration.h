#pragma once

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include "tuner/space/graph.h"

namespace hyperfd {

// A configuration as encoders read it: numbers, SearchSpace::encode()'s, and for spaces with an architecture its graph.
struct EncodedConfiguration {
  EncodedConfiguration(std::vector<float> numbers, std::shared_ptr<const Graph> architecture = nullptr)
      : flat(std::move(numbers)), graph(std::move(architecture)) {}

  std::vector<float> flat;
  std::shared_ptr<const Graph> graph;
};

// What all configurations of a space have in common, and so which encoder H reads them: an MLP (flat only), a GIN
// (node features only), or both, fused.
struct EncodingShape {
  EncodingShape(std::size_t flat_size, std::size_t node_feature_size = 0)
      : flat(flat_size), node_features(node_feature_size) {}

  std::size_t flat;           // numbers that H reads; 0: none
  std::size_t node_features;  // Graph::feature_size; 0: H reads no graph

  bool operator==(const EncodingShape& other) const {
    return flat == other.flat && node_features == other.node_features;
  }
};

}  // namespace hyperfd
