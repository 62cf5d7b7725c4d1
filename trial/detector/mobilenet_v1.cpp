#include "trial/detector/mobilenet_v1.h"

namespace hyperfd {
namespace {

// A depthwise and a pointwise convolution, in one flat Sequential as the public weights number them.
Layers separable(int channels_in, int channels_out, int stride) {
  Layers layers;
  append_convolution(layers, channels_in, channels_in, {3, stride, channels_in, Activation::kLeakyReLU});
  append_convolution(layers, channels_in, channels_out, {1, 1, 1, Activation::kLeakyReLU});
  return layers;
}

}  // namespace

MobileNetV1::MobileNetV1() {
  stage1_->push_back(convolution(3, 8, {3, 2, 1, Activation::kLeakyReLU}));
  stage1_->push_back(separable(8, 16, 1));
  stage1_->push_back(separable(16, 32, 2));
  stage1_->push_back(separable(32, 32, 1));
  stage1_->push_back(separable(32, 64, 2));
  stage1_->push_back(separable(64, 64, 1));
  stage2_->push_back(separable(64, 128, 2));
  for (int i = 0; i < 5; ++i) stage2_->push_back(separable(128, 128, 1));
  stage3_->push_back(separable(128, 256, 2));
  stage3_->push_back(separable(256, 256, 1));
  register_module("stage1", stage1_);
  register_module("stage2", stage2_);
  register_module("stage3", stage3_);
}

std::array<torch::Tensor, 3> MobileNetV1::forward(const torch::Tensor& pixels) {
  const torch::Tensor fine = stage1_->forward(pixels);
  const torch::Tensor middle = stage2_->forward(fine);
  return {fine, middle, stage3_->forward(middle)};
}

}  // namespace hyperfd
