#include "tuner/space/layers.h"

#include <initializer_list>
#include <limits>

namespace hyperfd {
namespace {

std::int64_t product(std::initializer_list<std::int64_t> factors) {
  std::int64_t result = 1;
  for (const std::int64_t factor : factors) {
    if (__builtin_mul_overflow(result, factor, &result)) return std::numeric_limits<std::int64_t>::max();
  }
  return result;
}

void add(std::int64_t& sum, std::int64_t term) {
  if (__builtin_add_overflow(sum, term, &sum)) sum = std::numeric_limits<std::int64_t>::max();
}

}  // namespace

FeatureMap convolve(Cost& cost, const FeatureMap& in, const Convolution& layer) {
  FeatureMap out = pool(in, layer.stride);
  out.channels = layer.channels_out;
  const std::int64_t weights = product({layer.channels_out, in.channels / layer.groups, layer.kernel, layer.kernel});
  add(cost.parameters, weights);
  add(cost.parameters, product({layer.parameters_per_channel, layer.channels_out}));
  add(cost.multiply_adds, product({weights, out.height, out.width}));
  return out;
}

FeatureMap separable_convolution(Cost& cost, const FeatureMap& in, const Block& block) {
  const FeatureMap map = convolve(cost, in, {in.channels, block.kernel, block.stride, in.channels});
  return convolve(cost, map, {block.channels_out});
}

FeatureMap inverted_residual(Cost& cost, const FeatureMap& in, const Block& block) {
  const int inner = in.channels * block.expansion;
  const FeatureMap wide = block.expansion > 1 ? convolve(cost, in, {inner}) : in;
  return separable_convolution(cost, wide, block);
}

FeatureMap pool(const FeatureMap& in, int stride) {
  return {in.channels, (in.height + stride - 1) / stride, (in.width + stride - 1) / stride};
}

FeatureMap fully_connected(Cost& cost, const FeatureMap& in, int channels_out) {
  const std::int64_t weights = product({in.channels, in.height, in.width, channels_out});
  add(cost.parameters, weights);
  add(cost.parameters, product({kBias, channels_out}));
  add(cost.multiply_adds, weights);
  return {channels_out, 1, 1};
}

}  // namespace hyperfd
