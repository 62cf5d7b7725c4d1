#include "tuner/space/operators.h"

#include <algorithm>

namespace hyperfd {
namespace {

using Settings = OperatorSettings;

FeatureMap conv(Cost& cost, const FeatureMap& in, const Settings& s) {
  return convolve(cost, in, {s.width, s.kernel, s.stride});
}
FeatureMap depthwise(Cost& cost, const FeatureMap& in, const Settings& s) {
  return convolve(cost, in, {in.channels, s.kernel, s.stride, in.channels});
}
FeatureMap separable(Cost& cost, const FeatureMap& in, const Settings& s) {
  return separable_convolution(cost, in, {s.width, s.kernel, s.stride});
}
FeatureMap inverted(Cost& cost, const FeatureMap& in, const Settings& s) {
  return inverted_residual(cost, in, {s.width, s.kernel, s.stride, s.expansion});
}
// ResNet §3.3: `expansion` is of what comes out against what is inside.
FeatureMap bottleneck(Cost& cost, const FeatureMap& in, const Settings& s) {
  const int inner = std::max(1, s.width / s.expansion);
  const FeatureMap map = convolve(cost, convolve(cost, in, {inner}), {inner, s.kernel, s.stride});
  return convolve(cost, map, {s.width});
}
FeatureMap pooling(Cost&, const FeatureMap& in, const Settings& s) {
  return pool(in, s.stride);
}
FeatureMap global_pool(Cost&, const FeatureMap& in, const Settings&) {
  return {in.channels, 1, 1};
}
FeatureMap linear(Cost& cost, const FeatureMap& in, const Settings& s) {
  return fully_connected(cost, in, s.width);
}
FeatureMap identity(Cost&, const FeatureMap& in, const Settings&) {
  return in;
}

}  // namespace

const std::vector<Operator>& operators() {
  static const std::vector<Operator> table = {
      // name             kernel expansion width stride adds_input
      {"average_pool", true, false, false, true, false, pooling},
      {"bottleneck", true, true, true, true, true, bottleneck},
      {"conv", true, false, true, true, false, conv},
      {"depthwise", true, false, false, true, false, depthwise},
      {"global_pool", false, false, false, false, false, global_pool},
      {"identity", false, false, false, false, false, identity},
      {"inverted_residual", true, true, true, true, true, inverted},
      {"linear", false, false, true, false, false, linear},
      {"max_pool", true, false, false, true, false, pooling},
      {"separable", true, false, true, true, false, separable},
  };
  return table;
}

const Operator* find_operator(const std::string& name) {
  const auto& table = operators();
  const auto found = std::find_if(table.begin(), table.end(), [&](const Operator& o) { return o.name == name; });
  return found == table.end() ? nullptr : &*found;
}

std::vector<std::string> operator_names() {
  std::vector<std::string> names;
  for (const Operator& entry : operators()) names.push_back(entry.name);
  return names;
}

}  // namespace hyperfd
