#pragma once

#include <string>

#include "tuner/base/json.h"

namespace hyperfd {

enum class MetricType { kPeriodical, kFinal };

struct Metric {
  MetricType type = MetricType::kPeriodical;
  int sequence = 0;   // PERIODICAL: 0, 1, 2, … without holes (NNI's assessors wait at a hole); FINAL: 0
  Json parameter_id;  // as it came with the assignment
  Json value;
};

// Throws InputError unless `value` is a finite number, or an object whose "default" is a finite number and that has no
// infinite or undefined number anywhere (JSON cannot say them).
void check_metric_value(const Json& value);

// The JSON text by which NNI knows a metric, byte for byte as NNI's Python SDK writes it: pure ASCII, one line, and the
// value encoded once more as a JSON string. `metric.value` must have passed check_metric_value.
// Throws InputError when a text in the value is not UTF-8.
std::string metric_message(const Metric& metric, const std::string& trial_job_id);

}  // namespace hyperfd
