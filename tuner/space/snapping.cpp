#include "tuner/space/snapping.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "tuner/space/dimension.h"

namespace hyperfd {
namespace {

constexpr double kTolerance = 1e-6;  // of a step, as Real::check()

void snap_group(const Json& definition, Json& values);

void snap_number(const std::string& type, const Json& arguments, Json& value) {
  const Path path("space");
  const double step = parse_number(arguments.back(), path);
  const double number = value.get<double>();
  double multiple = std::nearbyint(number / step) * step;
  if (!(std::abs(number - multiple) <= kTolerance * step)) return;
  if (type.find("uniform") != std::string::npos) {
    multiple = std::clamp(multiple, parse_number(arguments[0], path), parse_number(arguments[1], path));
  }
  value = multiple;
}

void snap_value(const Json& dimension, Json& value) {
  const std::string type = dimension.at("_type").get<std::string>();
  const Json& arguments = dimension.at("_value");
  if (type.front() == 'q' && value.is_number()) return snap_number(type, arguments, value);
  if (type != "choice" || !value.is_object() || !value.contains("_name")) return;
  for (const Json& branch : arguments) {
    if (branch.is_object() && branch.contains("_name") && branch["_name"] == value["_name"])
      return snap_group(branch, value);
  }
}

void snap_group(const Json& definition, Json& values) {
  for (const auto& [key, dimension] : definition.items()) {
    if (key != "_name" && values.contains(key)) snap_value(dimension, values[key]);
  }
}

}  // namespace

Configuration snapped(const SearchSpace& space, Configuration configuration) {
  if (configuration.is_object()) snap_group(space.definition(), configuration);
  return configuration;
}

}  // namespace hyperfd
