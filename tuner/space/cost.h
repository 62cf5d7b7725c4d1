#pragma once

#include <cstdint>

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

}  // namespace hyperfd
