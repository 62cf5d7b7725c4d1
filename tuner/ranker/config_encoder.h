#pragma once

#include <optional>
#include <vector>

#include <torch/types.h>

#include "tuner/base/rng.h"
#include "tuner/ranker/encoded_configuration.h"
#include "tuner/ranker/graph_encoder.h"

namespace hyperfd {

// H for flat spaces: encoded configuration → ReLU layer → linear layer. Float32 on the CPU.
class MlpEncoder {
 public:
  // Uniform initialisation within ±1/√inputs, as torch::nn::Linear's.
  MlpEncoder(std::int64_t inputs, std::int64_t units, Rng& rng);

  // [n, inputs] → [n, units].
  torch::Tensor forward(const torch::Tensor& encodings) const;
  // φᵀ H of every row, [n]: the output layer is applied to φ once instead of to every row.
  torch::Tensor scores(const torch::Tensor& encodings, const torch::Tensor& feature) const;

  MlpEncoder clone() const;
  std::vector<torch::Tensor> parameters() const { return {hidden_weight_, hidden_bias_, output_weight_, output_bias_}; }
  std::int64_t inputs() const { return hidden_weight_.size(1); }

 private:
  torch::Tensor hidden_weight_;  // [units, inputs]
  torch::Tensor hidden_bias_;    // [units]
  torch::Tensor output_weight_;  // [units, units]
  torch::Tensor output_bias_;    // [units]
};

// Some configurations as an encoder reads them.
struct EncoderInput {
  torch::Tensor flat;                // [n, shape.flat]
  std::vector<const Graph*> graphs;  // n, or none if shape.node_features is 0

  EncoderInput select(const std::vector<std::int64_t>& rows) const;
  // The rows of all parts, one part after the other.
  static EncoderInput join(const std::vector<EncoderInput>& parts);
};

// H of any shape: MLP, GIN, or both with a ReLU and a linear layer over the two embeddings.
class ConfigEncoder {
 public:
  ConfigEncoder(const EncodingShape& shape, std::int64_t units, Rng& rng);

  // Keeps pointers to the graphs. Rows fit the shape.
  EncoderInput input(const std::vector<EncodedConfiguration>& configurations) const;

  // [n, units]. `dropout`: nullptr for none, else where the GIN's masks come from.
  torch::Tensor forward(const EncoderInput& input, double dropout_rate = 0, Rng* dropout = nullptr) const;
  // forward() of any number of configurations, without gradients: some graphs at a time, so that they stay in the cache.
  torch::Tensor embed(const std::vector<EncodedConfiguration>& configurations) const;

  EncodingShape shape() const;
  // The MLP of a flat shape; nullptr for others.
  const MlpEncoder* flat_only() const { return gin_ ? nullptr : &*mlp_; }
  ConfigEncoder clone() const;
  std::vector<torch::Tensor> parameters() const;

 private:
  std::optional<MlpEncoder> mlp_;
  std::optional<GinEncoder> gin_;
  torch::Tensor fusion_weight_, fusion_bias_;  // [units, 2 · units], [units]; undefined unless both
};

}  // namespace hyperfd
