#pragma once

#include <torch/torch.h>

namespace hyperfd {

// Whether batch_norm_activation() takes this: float32 or bfloat16 on the CPU, channels-last.
bool can_fuse_batch_norm(const torch::Tensor& input);

// leaky_relu(norm(input), slope), as both would compute it one after the other, with its gradient; slope 1 is no
// activation. Updates the running statistics in training mode. It passes over the memory half as often: batch norms and
// activations are a third of a training step on the CPU, and they wait for memory.
torch::Tensor batch_norm_activation(const torch::Tensor& input, torch::nn::BatchNorm2dImpl& norm, double slope);

}  // namespace hyperfd
