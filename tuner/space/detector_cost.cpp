#include "tuner/space/detector_cost.h"

#include <array>

#include "tuner/space/backbones.h"
#include "tuner/space/layers.h"

namespace hyperfd {
namespace {

using Features = std::array<FeatureMap, 3>;  // at strides 8, 16 and 32

Features walk(Cost& cost, const Architecture& architecture, ImageSize size) {
  check(architecture);
  Features features{};
  FeatureMap map = convolve(cost, {3, size.height, size.width}, {architecture.stem_width, 3, 2});
  for (std::size_t i = 0; i < architecture.stages.size(); ++i) {
    const StageArchitecture& stage = architecture.stages[i];
    int stride = stage.stride;
    for (const BlockArchitecture& block : stage.blocks) {
      map = inverted_residual(cost, map, {stage.width, block.kernel, stride, block.expansion});
      stride = 1;
    }
    if (i == 2) features[0] = map;
    if (i == 4) features[1] = map;
    if (i == 6) features[2] = map;
  }
  return features;
}

// MobileNetV1 × 0.25 of Pytorch_Retinaface: a stem, then pairs of a depthwise and a pointwise convolution.
Features walk_mobilenet_v1(Cost& cost, ImageSize size) {
  FeatureMap map = convolve(cost, {3, size.height, size.width}, {8, 3, 2});
  const auto separable = [&](int channels_out, int stride) {
    map = separable_convolution(cost, map, {channels_out, 3, stride});
  };
  Features features{};
  separable(16, 1);
  separable(32, 2);
  separable(32, 1);
  separable(64, 2);
  separable(64, 1);
  features[0] = map;
  separable(128, 2);
  for (int i = 0; i < 5; ++i) separable(128, 1);
  features[1] = map;
  separable(256, 2);
  separable(256, 1);
  features[2] = map;
  return features;
}

Features walk(Cost& cost, const std::string& backbone, ImageSize size) {
  const std::optional<Architecture> architecture = architecture_of(backbone);
  return architecture ? walk(cost, *architecture, size) : walk_mobilenet_v1(cost, size);
}

// What comes after the backbone; mirrors FeaturePyramid, ContextModule and the heads of RetinaFace.
void walk_rest(Cost& cost, Features features, int channels) {
  for (FeatureMap& map : features) map = convolve(cost, map, {channels});
  for (const int level : {0, 1}) convolve(cost, features[level], {channels, 3});
  for (const FeatureMap& map : features) {
    convolve(cost, map, {channels / 2, 3});
    const FeatureMap quarter = convolve(cost, map, {channels / 4, 3});
    for (int i = 0; i < 3; ++i) convolve(cost, quarter, {channels / 4, 3});
    // For each of two anchors: two classes, four numbers of a box, ten of landmarks.
    for (const int values : {2 * 2, 2 * 4, 2 * 10}) convolve(cost, map, {values, 1, 1, 1, kBias});
  }
}

template <typename Backbone>
Cost cost_of_detector(const Backbone& backbone, int channels, ImageSize size) {
  Cost cost;
  walk_rest(cost, walk(cost, backbone, size), channels);
  return cost;
}

template <typename Backbone>
Cost cost_of_backbone(const Backbone& backbone, ImageSize size) {
  Cost cost;
  walk(cost, backbone, size);
  return cost;
}

}  // namespace

Cost backbone_cost(const std::string& backbone, ImageSize size) {
  return cost_of_backbone(backbone, size);
}

Cost backbone_cost(const Architecture& architecture, ImageSize size) {
  return cost_of_backbone(architecture, size);
}

Cost detector_cost(const std::string& backbone, int channels, ImageSize size) {
  return cost_of_detector(backbone, channels, size);
}

Cost detector_cost(const Architecture& architecture, int channels, ImageSize size) {
  return cost_of_detector(architecture, channels, size);
}

}  // namespace hyperfd
