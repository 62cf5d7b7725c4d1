#pragma once

#include <vector>

#include <torch/types.h>

#include "tuner/base/rng.h"

namespace hyperfd {

// H for flat spaces: encoded configuration → ReLU layer → linear layer. Float32 on the CPU.
class MlpEncoder {
 public:
  // Uniform initialisation within ±1/√inputs, as torch::nn::Linear's.
  MlpEncoder(std::int64_t inputs, std::int64_t units, Rng& rng);

  // [n, inputs] → [n, units].
  torch::Tensor forward(const torch::Tensor& encodings) const;

  MlpEncoder clone() const;

  std::vector<torch::Tensor> parameters() const { return {hidden_weight_, hidden_bias_, output_weight_, output_bias_}; }

 private:
  torch::Tensor hidden_weight_;  // [units, inputs]
  torch::Tensor hidden_bias_;    // [units]
  torch::Tensor output_weight_;  // [units, units]
  torch::Tensor output_bias_;    // [units]
};

}  // namespace hyperfd
