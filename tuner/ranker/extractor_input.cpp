#include "tuner/ranker/extractor_input.h"

#include <algorithm>
#include <cmath>

namespace hyperfd {

std::size_t extractor_units(std::size_t inputs, std::size_t weights) {
  constexpr std::size_t kHeads = 4;
  const auto count = [&](std::size_t units) { return 8 * units * units + (inputs + 12) * units + 2 * inputs; };
  std::size_t units = kHeads;
  while (count(units) < weights) units += kHeads;
  return units;
}

double longest_feature(const std::vector<float>& weights, std::size_t units) {
  if (weights.size() < 2 * units) return 0;
  double scale = 0, shift = 0;
  const float* const last = weights.data() + weights.size() - 2 * units;
  for (std::size_t i = 0; i < units; ++i) {
    scale = std::max(scale, std::abs(static_cast<double>(last[i])));
    shift += static_cast<double>(last[units + i]) * static_cast<double>(last[units + i]);
  }
  return scale * std::sqrt(static_cast<double>(units)) + std::sqrt(shift);
}

}  // namespace hyperfd
