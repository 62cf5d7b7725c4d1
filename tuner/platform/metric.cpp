#include "tuner/platform/metric.h"

#include <cmath>

#include "tuner/base/error.h"
#include "tuner/base/json.h"

namespace hyperfd {

Metric parse_metric(const std::string& text) {
  const auto unusable = [&](const std::string& why) {
    return Metric{std::nullopt, "value: " + why + ", got " + text.substr(0, 60) + "; stored, not ranked by"};
  };
  Json value;
  try {
    value = parse_json(text, "value");
  } catch (const InputError&) {
    return unusable("expected JSON");
  }
  if (value.is_object()) {
    const auto number = value.find("default");
    if (number == value.end() || !number->is_number()) return unusable("expected a number under \"default\"");
    value = Json(*number);
  }
  if (!value.is_number()) return unusable("expected a number or an object with a number under \"default\"");
  const double number = value.get<double>();
  if (!std::isfinite(number)) return unusable("expected a finite number");
  return {number, ""};
}

}  // namespace hyperfd
