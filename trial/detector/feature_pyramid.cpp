#include "trial/detector/feature_pyramid.h"

namespace hyperfd {
namespace {

// In float: LibTorch has no other kernel for bfloat16 on CUDA before 2.1.
torch::Tensor enlarge_to(const torch::Tensor& coarse, const torch::Tensor& fine) {
  return torch::nn::functional::interpolate(coarse.to(torch::kFloat),
                                            torch::nn::functional::InterpolateFuncOptions()
                                                .size(std::vector<std::int64_t>{fine.size(2), fine.size(3)})
                                                .mode(torch::kNearest))
      .to(coarse.scalar_type());
}

}  // namespace

FeaturePyramidImpl::FeaturePyramidImpl(const std::array<int, 3>& channels_in, int channels)
    : output1_(convolution(channels_in[0], channels, {1, 1, 1, Activation::kLeakyReLU})),
      output2_(convolution(channels_in[1], channels, {1, 1, 1, Activation::kLeakyReLU})),
      output3_(convolution(channels_in[2], channels, {1, 1, 1, Activation::kLeakyReLU})),
      merge1_(convolution(channels, channels, {})),
      merge2_(convolution(channels, channels, {})) {
  register_module("output1", output1_);
  register_module("output2", output2_);
  register_module("output3", output3_);
  register_module("merge1", merge1_);
  register_module("merge2", merge2_);
}

std::array<torch::Tensor, 3> FeaturePyramidImpl::forward(const std::array<torch::Tensor, 3>& features) {
  const torch::Tensor fine = output1_->forward(features[0]);
  const torch::Tensor middle = output2_->forward(features[1]);
  const torch::Tensor coarse = output3_->forward(features[2]);
  const torch::Tensor merged_middle = merge2_->forward(middle + enlarge_to(coarse, middle));
  return {merge1_->forward(fine + enlarge_to(merged_middle, fine)), merged_middle, coarse};
}

}  // namespace hyperfd
