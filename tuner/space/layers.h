#pragma once

#include "tuner/space/cost.h"

namespace hyperfd {

// What layers cost. Each function adds a layer's cost to `cost` (saturating at 2^63 − 1) and returns what comes out of
// it. Padding keeps the size of a map, divided by the stride and rounded up.

struct FeatureMap {
  int channels = 0, height = 0, width = 0;
};

constexpr int kBatchNorm = 2;  // parameters for each channel going out: scale and shift
constexpr int kBias = 1;

struct Convolution {
  int channels_out;
  int kernel = 1, stride = 1, groups = 1;
  int parameters_per_channel = kBatchNorm;
};
FeatureMap convolve(Cost& cost, const FeatureMap& in, const Convolution& layer);

// Of whole blocks: channels coming out, kernel and stride of the convolution in the middle, channels inside for each
// one coming in.
struct Block {
  int channels_out;
  int kernel = 3, stride = 1, expansion = 1;
};
// A depthwise and a pointwise convolution (MobileNetV1); no expansion.
FeatureMap separable_convolution(Cost& cost, const FeatureMap& in, const Block& block);
// Pointwise unless the expansion is 1, depthwise, pointwise (MobileNetV2 §3.3).
FeatureMap inverted_residual(Cost& cost, const FeatureMap& in, const Block& block);

// No cost.
FeatureMap pool(const FeatureMap& in, int stride);

// Every number of the map to every one going out, with bias.
FeatureMap fully_connected(Cost& cost, const FeatureMap& in, int channels_out);

}  // namespace hyperfd
