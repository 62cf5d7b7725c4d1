#pragma once

#include <torch/torch.h>

namespace hyperfd {

// Whether depthwise_weight_gradient computes this kernel, [channels, 1, height, width]: 5×5 and 7×7.
bool has_depthwise_weight_gradient(const torch::Tensor& weight);

// The gradient of the weights of a depthwise convolution, like `weight`, from its input and the gradient of its output,
// both channels-last and single precision. oneDNN 2.6 has a kernel of its own for 3×3 alone: a step of the largest
// network of search_spaces/proxylessnas.yaml spent a third of its time there.
torch::Tensor depthwise_weight_gradient(const torch::Tensor& input, const torch::Tensor& gradient,
                                        const torch::Tensor& weight, std::int64_t stride, std::int64_t padding);

}  // namespace hyperfd
