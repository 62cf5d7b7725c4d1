#pragma once

#include <map>
#include <string>

#include <torch/torch.h>

namespace hyperfd {

// Named tensors (parameters and batch norm statistics) with a text that says what network they belong to.
struct Weights {
  std::map<std::string, torch::Tensor> tensors;
  std::string description;  // a recipe in YAML; empty for files of other programs
};

// A copy of the module's tensors on the CPU.
Weights weights_of(const torch::nn::Module& module, std::string description);

// Copies tensors into the module. Throws InputError that names the first missing, superfluous or misshapen tensor;
// `source` begins its message. Batch counters (num_batches_tracked) may be missing.
void load_into(torch::nn::Module& module, const Weights& weights, const std::string& source);

// Convolutions on a CPU run fastest with channels innermost; kernels are stored so once, pixels come so from OpenCV.
void store_channels_last(torch::nn::Module& module);

}  // namespace hyperfd
