#pragma once

#include <mutex>

#include <torch/torch.h>

namespace hyperfd {

// torch::nn::Conv2d, and the leaky ReLU behind it. On the CPU, in channels-last memory and single precision (or under
// autocast to bfloat16), it asks oneDNN itself and remembers how that convolves inputs of this size: LibTorch has it
// find out on every call, and computes 1×1 convolutions of small batches by copying their inputs about. Elsewhere it is
// LibTorch's convolution.
class ConvolutionImpl : public torch::nn::Conv2dImpl {
 public:
  explicit ConvolutionImpl(const torch::nn::Conv2dOptions& options);
  ~ConvolutionImpl() override;

  // `slope` of the leaky ReLU on negative values; 1: no activation. In evaluation mode several threads may call it.
  torch::Tensor forward(const torch::Tensor& input, double slope);
  void train(bool on = true) override;

 private:
  struct Plan;
  class Function;

  c10::intrusive_ptr<Plan> plan_for(c10::IntArrayRef sizes, torch::ScalarType type, double slope, bool training);

  std::mutex mutex_;
  c10::intrusive_ptr<Plan> plan_;  // the last one: inputs that follow each other often have one size
};
TORCH_MODULE(Convolution);

}  // namespace hyperfd
