#include "trial/detector/mobilenet_v2.h"

namespace hyperfd {
namespace {

// MobileNetV2 §3.3: widen by a 1×1 convolution, filter each channel, project back without activation; added to its
// input where the shapes allow.
class InvertedResidual : public torch::nn::Module {
 public:
  InvertedResidual(int channels_in, int channels_out, int expansion, int kernel, int stride)
      : adds_input_(stride == 1 && channels_in == channels_out) {
    const int inner = channels_in * expansion;
    if (expansion > 1) {
      expand_ = convolution(channels_in, inner, {1, 1, 1, Activation::kLeakyReLU});
      register_module("expand", expand_);
    }
    depthwise_ =
        register_module("depthwise", convolution(inner, inner, {kernel, stride, inner, Activation::kLeakyReLU}));
    project_ = register_module("project", convolution(inner, channels_out, {1, 1, 1, Activation::kNone}));
  }

  torch::Tensor forward(const torch::Tensor& input) {
    const torch::Tensor inner = expand_.is_empty() ? input : expand_->forward(input);
    const torch::Tensor output = project_->forward(depthwise_->forward(inner));
    return adds_input_ ? input + output : output;
  }

 private:
  bool adds_input_;
  Layers expand_{nullptr}, depthwise_{nullptr}, project_{nullptr};
};

}  // namespace

MobileNetV2::MobileNetV2(const Architecture& architecture) {
  check(architecture);
  stem_ = register_module("stem", convolution(3, architecture.stem_width, {3, 2, 1, Activation::kLeakyReLU}));
  int channels = architecture.stem_width;
  for (const StageArchitecture& stage : architecture.stages) {
    Layers blocks;
    int stride = stage.stride;
    for (const BlockArchitecture& block : stage.blocks) {
      blocks->push_back(
          std::make_shared<InvertedResidual>(channels, stage.width, block.expansion, block.kernel, stride));
      channels = stage.width;
      stride = 1;
    }
    stages_.push_back(register_module("stage" + std::to_string(stages_.size() + 1), blocks));
  }
  channels_ = {architecture.stages[2].width, architecture.stages[4].width, architecture.stages[6].width};
}

std::array<torch::Tensor, 3> MobileNetV2::forward(const torch::Tensor& pixels) {
  std::array<torch::Tensor, 3> features;
  torch::Tensor x = stem_->forward(pixels);
  for (std::size_t i = 0; i < stages_.size(); ++i) {
    x = stages_[i]->forward(x);
    if (i == 2) features[0] = x;
    if (i == 4) features[1] = x;
    if (i == 6) features[2] = x;
  }
  return features;
}

std::vector<std::string> MobileNetV2::parts(int level) const {
  if (level == 1) return {"stem", "stage1", "stage2", "stage3"};
  return {"stage" + std::to_string(2 * level), "stage" + std::to_string(2 * level + 1)};
}

}  // namespace hyperfd
