#pragma once

#include <vector>

#include <torch/types.h>

#include "tuner/base/rng.h"
#include "tuner/space/graph.h"

namespace hyperfd {

// Some graphs as one, block by block.
struct GraphBatch {
  // `graphs` have the same feature_size and at least one node each. Nothing is kept of them.
  explicit GraphBatch(const std::vector<const Graph*>& graphs, std::int64_t feature_size);

  torch::Tensor features;  // [nodes, features]
  torch::Tensor from, to;  // [edges], int64, indices of nodes
  torch::Tensor graph;     // [nodes], int64: which graph a node is of
  std::int64_t count;      // of graphs
};

// H for architectures: a graph isomorphism network (Xu et al. 2019) of two layers with learnable ε,
//   h'_v = MLP((1 + ε) h_v + Σ over edges u → v of h_u),  MLP = linear, ReLU, dropout, linear,
// and two virtual nodes that have an edge to and from every node of their graph; the embedding is linear in the virtual
// nodes after the second layer. Sums into virtual nodes are scaled by a constant, so that they tell multisets apart and
// stay in range. Only what reaches the virtual nodes is computed: the second layer of other nodes is not, and the first
// layer's outer linear map is applied to sums. Float32 on the CPU.
class GinEncoder {
 public:
  GinEncoder(std::int64_t features, std::int64_t units, Rng& rng);

  // [graphs, units]. `dropout`: nullptr for none, else where its masks come from.
  torch::Tensor forward(const GraphBatch& batch, double dropout_rate = 0, Rng* dropout = nullptr) const;

  GinEncoder clone() const;
  std::vector<torch::Tensor> parameters() const;
  std::int64_t features() const { return virtual_features_.size(1); }

 private:
  struct Layer {
    torch::Tensor epsilon;                     // [1]
    torch::Tensor hidden_weight, hidden_bias;  // [units, inputs], [units]
    torch::Tensor output_weight, output_bias;  // [units, units], [units]
  };

  torch::Tensor virtual_features_;  // [2, features]: of the virtual nodes at the start
  Layer layers_[2];
  torch::Tensor embedding_weight_, embedding_bias_;  // [units, 2 · units], [units]
};

}  // namespace hyperfd
