#pragma once

#include <optional>
#include <string>

namespace hyperfd {

// The number in a metric as a trial reported it.
struct Metric {
  std::optional<double> number;  // finite; nullopt: nothing to rank by
  std::string warning;           // says why there is no number; "" otherwise
};

// `text` is JSON: a number, or an object with a number under "default" (NNI's convention). Never throws: anything else,
// also text that is not JSON (NaN, Infinity), has no number.
Metric parse_metric(const std::string& text);

}  // namespace hyperfd
