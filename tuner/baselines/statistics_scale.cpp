#include "tuner/baselines/statistics_scale.h"

#include <algorithm>
#include <cmath>

namespace hyperfd {

StatisticsScale::StatisticsScale(const PastExperience& past) {
  double tasks = 0;
  std::vector<double> squares;
  for (const auto& task : past.tasks()) {
    if (mean_.empty()) {
      mean_.resize(task->statistics().size());
      squares.resize(mean_.size());
    }
    if (!fits(task->statistics())) continue;
    ++tasks;  // Welford's updates
    for (std::size_t i = 0; i < mean_.size(); ++i) {
      const double difference = task->statistics()[i] - mean_[i];
      mean_[i] += difference / tasks;
      squares[i] += difference * (task->statistics()[i] - mean_[i]);
    }
  }
  for (std::size_t i = 0; i < mean_.size(); ++i) {
    const double deviation = std::sqrt(squares[i] / tasks);
    inverse_deviation_.push_back(deviation > 1e-9 * std::max(1.0, std::abs(mean_[i])) ? 1 / deviation : 0);
  }
}

bool StatisticsScale::fits(const std::vector<double>& statistics) const {
  return !mean_.empty() && statistics.size() == mean_.size() &&
         std::all_of(statistics.begin(), statistics.end(), [](double x) { return std::isfinite(x); });
}

std::vector<double> StatisticsScale::operator()(const std::vector<double>& statistics) const {
  std::vector<double> scaled(mean_.size());
  if (!fits(statistics)) return scaled;
  for (std::size_t i = 0; i < mean_.size(); ++i) scaled[i] = (statistics[i] - mean_[i]) * inverse_deviation_[i];
  return scaled;
}

}  // namespace hyperfd
