#include "tuner/baselines/nearest_task_policy.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <unordered_map>

#include "tuner/baselines/statistics_scale.h"

namespace hyperfd {

NearestTaskPolicy::NearestTaskPolicy(PolicyOptions& options)
    : neighbours_(static_cast<std::size_t>(options.integer("neighbours", 25, 1, 1'000'000))) {}

std::vector<std::size_t> tasks_by_distance(const PastExperience& past, const std::vector<double>& statistics) {
  const StatisticsScale scale(past);
  const std::vector<double> own = scale(statistics);
  std::vector<double> distances;
  for (const auto& task : past.tasks()) {
    const std::vector<double> other = scale(task->statistics());
    double distance = 0;
    for (std::size_t i = 0; i < own.size(); ++i) distance += std::abs(own[i] - other[i]);
    distances.push_back(distance);
  }
  std::vector<std::size_t> order(distances.size());
  std::iota(order.rbegin(), order.rend(), std::size_t{0});  // newest first
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return distances[a] < distances[b]; });
  return order;
}

std::vector<double> NearestTaskPolicy::score(const TaskView& task, const Candidates& candidates, Rng&) const {
  std::vector<std::size_t> nearest = tasks_by_distance(task.past, task.statistics);
  nearest.resize(std::min(nearest.size(), neighbours_));
  // Best first, of every neighbour.
  std::vector<std::vector<std::size_t>> rankings;
  std::size_t longest = 0;
  for (const std::size_t t : nearest) {
    const std::vector<double>& ranks = task.past.tasks()[t]->ranks();
    std::vector<std::size_t>& ranking = rankings.emplace_back(ranks.size());
    std::iota(ranking.begin(), ranking.end(), std::size_t{0});
    std::stable_sort(ranking.begin(), ranking.end(), [&](std::size_t a, std::size_t b) { return ranks[a] < ranks[b]; });
    longest = std::max(longest, ranking.size());
  }
  std::unordered_map<ConfigurationKey, double> turns;  // when a configuration's turn comes
  for (std::size_t place = 0; place < longest; ++place) {
    for (std::size_t n = 0; n < nearest.size(); ++n) {
      if (place >= rankings[n].size()) continue;
      const ConfigurationKey key = task.past.tasks()[nearest[n]]->keys()[rankings[n][place]];
      turns.emplace(key, static_cast<double>(turns.size()));
    }
  }
  std::vector<double> scores;
  for (const ConfigurationKey candidate : candidates.keys) {
    const auto found = turns.find(candidate);
    scores.push_back(found == turns.end() ? -static_cast<double>(turns.size()) : -found->second);
  }
  return scores;
}

}  // namespace hyperfd
