#include "tuner/baselines/hyperstar_policy.h"

#include <cmath>
#include <numeric>

#include "tuner/baselines/joint_predictor.h"
#include "tuner/baselines/joint_rows.h"

namespace hyperfd {
namespace {

constexpr std::size_t kTasks = 2000, kRowsOfATask = 500;
constexpr std::uint64_t kSeed = 1;

std::vector<float> standardised(const std::vector<double>& values) {
  const double n = static_cast<double>(values.size());
  const double mean = std::accumulate(values.begin(), values.end(), 0.0) / n;
  double variance = 0;
  for (const double value : values) variance += (value - mean) * (value - mean) / n;
  const double scale = variance > 0 ? 1 / std::sqrt(variance) : 0;
  std::vector<float> scaled;
  for (const double value : values) scaled.push_back(static_cast<float>((value - mean) * scale));
  return scaled;
}

}  // namespace

std::vector<double> HyperStarPolicy::score(const TaskView& task, const Candidates& candidates, Rng&) const {
  if (task.past.empty()) return std::vector<double>(candidates.size());
  const StatisticsScale scale(task.past);
  const auto predictor = task.past.memo().get("hyperstar", [&] {
    const JointRows rows = past_rows(task.past, scale, kTasks, kRowsOfATask);
    return JointPredictor::train(rows.rows, standardised(rows.scores), kSeed);
  });
  const std::vector<float> predicted = predictor->predict(candidate_rows(task, scale, candidates));
  return {predicted.begin(), predicted.end()};
}

}  // namespace hyperfd
