#pragma once

#include <cstdint>
#include <string>

#include "tuner/space/architecture.h"

namespace hyperfd {

// Of a network on one image. Multiply-adds of the convolutions; batch norm, activations and additions are not counted,
// as is usual (MobileNetV2 §6). Parameters are what training changes: weights, biases, scales and shifts of batch norm.
struct Cost {
  std::int64_t multiply_adds = 0;
  std::int64_t parameters = 0;
};

struct ImageSize {
  int width = 640, height = 360;
};

// What stands before the feature pyramid. `backbone` as in backbones.h; throws InputError as canonical_backbone() does.
Cost backbone_cost(const std::string& backbone, ImageSize size = {});
Cost backbone_cost(const Architecture& architecture, ImageSize size = {});

// The whole detector: backbone, feature pyramid and context modules of width `channels`, heads.
Cost detector_cost(const std::string& backbone, int channels, ImageSize size = {});
Cost detector_cost(const Architecture& architecture, int channels, ImageSize size = {});

}  // namespace hyperfd
