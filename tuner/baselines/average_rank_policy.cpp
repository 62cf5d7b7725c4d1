#include "tuner/baselines/average_rank_policy.h"

#include <numeric>
#include <unordered_map>

namespace hyperfd {
namespace {

constexpr double kUnknownRank = 0.5;

}  // namespace

std::vector<double> mean_ranks(const PastExperience& past, const std::vector<std::size_t>& tasks) {
  std::vector<double> sums(past.configurations().size(), kUnknownRank), counts(sums.size(), 1);
  for (const std::size_t t : tasks) {
    const PastTask& task = *past.tasks()[t];
    for (std::size_t i = 0; i < task.size(); ++i) {
      sums[past.places(t)[i]] += task.ranks()[i];
      ++counts[past.places(t)[i]];
    }
  }
  for (std::size_t i = 0; i < sums.size(); ++i) sums[i] /= counts[i];
  return sums;
}

std::vector<double> AverageRankPolicy::score(const TaskView& task, const Candidates& candidates, Rng&) const {
  const auto known = task.past.memo().get("average_rank", [&] {
    std::vector<std::size_t> all(task.past.tasks().size());
    std::iota(all.begin(), all.end(), std::size_t{0});
    const std::vector<double> means = mean_ranks(task.past, all);
    std::unordered_map<ConfigurationKey, double> by_key;
    for (std::size_t i = 0; i < means.size(); ++i) {
      by_key[configuration_key(*task.past.configurations()[i])] = means[i];
    }
    return by_key;
  });
  std::vector<double> scores;
  for (const ConfigurationKey candidate : candidates.keys) {
    const auto found = known->find(candidate);
    scores.push_back(found == known->end() ? -kUnknownRank : -found->second);
  }
  return scores;
}

}  // namespace hyperfd
