#include "trial/detector/retinaface.h"

#include <cmath>

#include "trial/detector/anchors.h"
#include "trial/detector/layers.h"

namespace hyperfd {
namespace {

// A 1×1 convolution on every level, as the public weights name it: <head>.<level>.conv1x1.
std::vector<Convolution> make_heads(torch::nn::Module& owner, const std::string& name, int channels, int values) {
  class Head : public torch::nn::Module {};
  class HeadList : public torch::nn::Module {};
  const auto list = owner.register_module(name, std::make_shared<HeadList>());
  std::vector<Convolution> heads;
  for (int level = 0; level < 3; ++level) {
    const auto head = list->register_module(std::to_string(level), std::make_shared<Head>());
    heads.push_back(head->register_module(
        "conv1x1", Convolution(torch::nn::Conv2dOptions(channels, kAnchorsPerLocation * values, 1))));
  }
  return heads;
}

// [batch, anchors per location · values, height, width] of every level to [batch, anchors, values].
torch::Tensor gather_levels(std::vector<Convolution>& heads, const std::array<torch::Tensor, 3>& features,
                            int values) {
  std::vector<torch::Tensor> levels;
  for (std::size_t i = 0; i < heads.size(); ++i) {
    const torch::Tensor output = heads[i]->forward(features[i], 1).permute({0, 2, 3, 1});
    levels.push_back(output.reshape({output.size(0), -1, values}));
  }
  return torch::cat(levels, 1);
}

}  // namespace

RetinaFaceImpl::RetinaFaceImpl(const DetectorOptions& options) : options_(options) {
  check_anchor_sizes(options.anchor_sizes);
  body_ = register_module("body", make_backbone(options.backbone));
  fpn_ = register_module("fpn", FeaturePyramid(body_->channels(), options.channels));
  for (int i = 1; i <= 3; ++i) {
    contexts_.push_back(register_module("ssh" + std::to_string(i), ContextModule(options.channels)));
  }
  class_heads_ = make_heads(*this, "ClassHead", options.channels, 2);
  box_heads_ = make_heads(*this, "BboxHead", options.channels, 4);
  landmark_heads_ = make_heads(*this, "LandmarkHead", options.channels, 10);
  if (!options.folded) return;
  for (const auto& module : modules(/*include_self=*/false)) {
    if (auto* layers = module->as<Layers>()) layers->fold_batch_norms();
  }
}

std::array<torch::Tensor, 3> RetinaFaceImpl::context_features(const torch::Tensor& pixels) {
  const auto pyramid = fpn_->forward(body_->forward(pixels));
  return {contexts_[0]->forward(pyramid[0]), contexts_[1]->forward(pyramid[1]), contexts_[2]->forward(pyramid[2])};
}

RawOutput RetinaFaceImpl::forward(const torch::Tensor& pixels) {
  return heads(context_features(pixels));
}

RawOutput RetinaFaceImpl::heads(const std::array<torch::Tensor, 3>& features) {
  return {gather_levels(class_heads_, features, 2), gather_levels(box_heads_, features, 4),
          gather_levels(landmark_heads_, features, 10)};
}

void RetinaFaceImpl::initialise(torch::Generator generator, double face_prior) {
  torch::NoGradGuard no_gradient;
  for (const auto& module : modules()) {
    if (auto* convolution = module->as<torch::nn::Conv2d>()) {
      const auto fan_in = convolution->weight.numel() / convolution->weight.size(0);
      const double gain = 2 / (1 + kLeakySlope * kLeakySlope);
      convolution->weight.normal_(0, std::sqrt(gain / static_cast<double>(fan_in)), generator);
      if (convolution->bias.defined()) convolution->bias.zero_();
    } else if (auto* norm = module->as<torch::nn::BatchNorm2d>()) {
      norm->weight.fill_(1);
      norm->bias.zero_();
      norm->running_mean.zero_();
      norm->running_var.fill_(1);
    }
  }
  // The heads end the network: small weights, so that the first losses are not drowned in noise.
  for (auto* heads : {&class_heads_, &box_heads_, &landmark_heads_}) {
    for (auto& head : *heads) head->weight.normal_(0, 0.01, generator);
  }
  for (auto& head : class_heads_) {
    head->bias.view({kAnchorsPerLocation, 2}).select(1, 0).fill_(std::log((1 - face_prior) / face_prior));
  }
}

torch::Tensor normalise_pixels(const torch::Tensor& images, torch::Device device) {
  // Means of the public RetinaFace; no scaling, batch norm does it.
  const torch::Tensor mean = torch::tensor({104.0f, 117.0f, 123.0f}, device);
  return images.to(device).to(torch::kFloat).sub_(mean).permute({0, 3, 1, 2});
}

}  // namespace hyperfd
