#pragma once

#include <cstddef>
#include <vector>

#include "tuner/platform/past_experience.h"

namespace hyperfd {

// Brings data-set statistics to mean 0 and variance 1 over the past tasks that have them. A column that is the same for
// all of them becomes 0, and so does everything of a task without statistics: it is taken for the average task.
class StatisticsScale {
 public:
  explicit StatisticsScale(const PastExperience& past);

  std::size_t columns() const { return mean_.size(); }  // 0: no task has statistics
  bool fits(const std::vector<double>& statistics) const;
  std::vector<double> operator()(const std::vector<double>& statistics) const;

 private:
  std::vector<double> mean_, inverse_deviation_;
};

}  // namespace hyperfd
