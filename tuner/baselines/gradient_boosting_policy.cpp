#include "tuner/baselines/gradient_boosting_policy.h"

#include <cmath>

#include "tuner/baselines/joint_rows.h"
#include "tuner/baselines/rank_booster.h"

namespace hyperfd {
namespace {

constexpr std::size_t kTasks = 2000, kRowsOfATask = 500;
constexpr double kTopRelevance = 15;

}  // namespace

std::vector<double> GradientBoostingPolicy::score(const TaskView& task, const Candidates& candidates, Rng&) const {
  const StatisticsScale scale(task.past);
  JointRows rows = past_rows(task.past, scale, kTasks, kRowsOfATask);
  add_own_rows(task, scale, kRowsOfATask, rows);
  std::vector<float> relevance;
  for (const double rank : rows.ranks) {
    relevance.push_back(static_cast<float>(std::round(kTopRelevance * (1 - rank))));
  }
  const RankBooster booster(rows.rows, relevance, rows.groups);
  const std::vector<float> predicted = booster.predict(candidate_rows(task, scale, candidates));
  return {predicted.begin(), predicted.end()};
}

}  // namespace hyperfd
