#include "tuner/baselines/greedy_portfolio_policy.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "tuner/baselines/random_policy.h"
#include "tuner/baselines/scoring_policy.h"
#include "tuner/baselines/utilities.h"

namespace hyperfd {
namespace {

// The best utility for every past task of the configurations that `task` has: those with a result, and of those without
// the ones that past tasks tried.
std::vector<double> best_so_far(const TaskView& task) {
  std::vector<ConfigurationKey> keys;
  std::vector<std::vector<float>> encodings;
  const auto add = [&](const Configuration& configuration, ConfigurationKey key) {
    keys.push_back(key);
    encodings.push_back(task.space.encode(configuration));
  };
  for (const ScoredConfiguration& result : task.results) add(result.configuration, configuration_key(result.configuration));
  if (task.taken.size() > task.results.size()) {
    for (const Configuration* configuration : task.past.configurations()) {
      const ConfigurationKey key = configuration_key(*configuration);
      if (task.taken.contains(key)) add(*configuration, key);
    }
  }
  std::vector<double> best;
  for (const auto& past : task.past.tasks()) {
    const std::vector<double> utilities = utilities_on(*past, keys, encodings);
    best.push_back(utilities.empty() ? 0 : *std::max_element(utilities.begin(), utilities.end()));
  }
  return best;
}

template <typename T>
std::vector<T> reordered(std::vector<T>& items, const std::vector<std::size_t>& order) {
  std::vector<T> moved;
  for (const std::size_t i : order) moved.push_back(std::move(items[i]));
  return moved;
}

}  // namespace

std::vector<std::size_t> choose_portfolio(const std::vector<std::vector<double>>& utilities, std::vector<double> best,
                                          std::size_t count) {
  const std::size_t candidates = utilities.empty() ? 0 : utilities[0].size();
  std::vector<bool> is_chosen(candidates);
  std::vector<std::size_t> chosen;
  while (chosen.size() < std::min(count, candidates)) {
    std::size_t next = candidates;
    double next_gain = -1;
    for (std::size_t c = 0; c < candidates; ++c) {
      if (is_chosen[c]) continue;
      double gain = 0;
      for (std::size_t t = 0; t < utilities.size(); ++t) gain += std::max(utilities[t][c] - best[t], 0.0);
      if (gain > next_gain) {
        next = c;
        next_gain = gain;
      }
    }
    is_chosen[next] = true;
    chosen.push_back(next);
    for (std::size_t t = 0; t < utilities.size(); ++t) best[t] = std::max(best[t], utilities[t][next]);
  }
  return chosen;
}

std::vector<Configuration> GreedyPortfolioPolicy::suggest(const TaskView& task, std::size_t count, Rng& rng) const {
  if (task.past.empty()) return RandomPolicy().suggest(task, count, rng);
  Candidates candidates = make_candidates_with_past(task, count, rng);
  std::vector<std::size_t> order(candidates.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  rng.shuffle(order);  // chance decides among equal ones
  candidates = {reordered(candidates.configurations, order), reordered(candidates.keys, order),
                reordered(candidates.encodings, order)};
  std::vector<std::vector<double>> utilities;
  for (const auto& past : task.past.tasks()) {
    utilities.push_back(utilities_on(*past, candidates.keys, candidates.encodings));
  }
  const std::vector<std::size_t> chosen = choose_portfolio(utilities, best_so_far(task), count);
  return reordered(candidates.configurations, chosen);
}

}  // namespace hyperfd
