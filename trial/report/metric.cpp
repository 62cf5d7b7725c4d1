#include "trial/report/metric.h"

#include <cmath>

#include "tuner/base/error.h"

namespace hyperfd {
namespace {

// `place` says where in the metric we are, e.g. `metric["per_class"][2]`.
void check_numbers_are_finite(const Json& value, const std::string& place) {
  if (value.is_number() && !std::isfinite(value.get<double>())) {
    throw InputError(place + ": expected a finite number, got " + std::to_string(value.get<double>()));
  }
  if (value.is_object()) {
    for (const auto& [key, member] : value.items()) check_numbers_are_finite(member, place + "[\"" + key + "\"]");
  } else if (value.is_array()) {
    for (std::size_t i = 0; i < value.size(); ++i) {
      check_numbers_are_finite(value[i], place + "[" + std::to_string(i) + "]");
    }
  }
}

// JSON with the spaces that Python's json module puts after commas and colons.
std::string python_style_json(const Json& value) {
  if (!value.is_structured()) return value.dump(-1, ' ', /*ensure_ascii=*/true);
  std::string text;
  for (const auto& [key, member] : value.items()) {
    if (!text.empty()) text += ", ";
    if (value.is_object()) text += Json(key).dump(-1, ' ', true) + ": ";
    text += python_style_json(member);
  }
  return value.is_object() ? "{" + text + "}" : "[" + text + "]";
}

}  // namespace

void check_metric_value(const Json& value) {
  check_numbers_are_finite(value, "metric");
  if (value.is_number()) return;
  if (!value.is_object()) throw InputError("metric: expected a number or an object, got " + brief(value));
  const auto member = value.find("default");
  if (member == value.end()) throw InputError("metric: expected a key \"default\" in " + brief(value));
  if (!member->is_number()) throw InputError("metric[\"default\"]: expected a number, got " + brief(*member));
}

std::string metric_message(const Metric& metric, const std::string& trial_job_id) {
  try {
    return python_style_json({{"parameter_id", metric.parameter_id},
                              {"trial_job_id", trial_job_id},
                              {"type", metric.type == MetricType::kFinal ? "FINAL" : "PERIODICAL"},
                              {"sequence", metric.sequence},
                              {"value", python_style_json(metric.value)}});
  } catch (const Json::type_error& error) {
    throw InputError(std::string("metric: expected UTF-8 text: ") + error.what());
  }
}

}  // namespace hyperfd
