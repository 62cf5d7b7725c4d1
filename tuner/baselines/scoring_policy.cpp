#include "tuner/baselines/scoring_policy.h"

#include <algorithm>
#include <iterator>
#include <numeric>
#include <utility>

#include "tuner/base/error.h"
#include "tuner/baselines/random_policy.h"
#include "tuner/platform/candidates.h"
#include "tuner/platform/untaken.h"

namespace hyperfd {
namespace {

constexpr std::size_t kPastCandidates = 1000;

bool is_point(const SearchSpace& space, const Configuration& configuration) {
  try {
    space.check(configuration);
    return true;
  } catch (const InputError&) {
    return false;
  }
}

}  // namespace

Candidates make_candidates_with_past(const TaskView& task, std::size_t count, Rng& rng) {
  Candidates candidates;
  Untaken untaken(task.space, task.taken, task.annotation);
  if (!is_enumerated(task.space)) {
    const auto& past = task.past.configurations();
    for (std::size_t i = past.size() - std::min(past.size(), kPastCandidates); i < past.size(); ++i) {
      if (is_point(task.space, *past[i]) && untaken.take(*past[i])) candidates.configurations.push_back(*past[i]);
    }
  }
  std::vector<Configuration> others = make_candidates(task.space, untaken, count, rng);
  std::move(others.begin(), others.end(), std::back_inserter(candidates.configurations));
  for (const Configuration& configuration : candidates.configurations) {
    candidates.keys.push_back(configuration_key(configuration));
    candidates.encodings.push_back(task.space.encode(configuration));
  }
  return candidates;
}

std::vector<Configuration> ScoringPolicy::suggest(const TaskView& task, std::size_t count, Rng& rng) const {
  if (task.past.empty() && task.results.empty()) return RandomPolicy().suggest(task, count, rng);
  Candidates candidates = make_candidates_with_past(task, count, rng);
  if (candidates.size() == 0) return {};
  const std::vector<double> scores = score(task, candidates, rng);
  std::vector<std::size_t> order(candidates.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  rng.shuffle(order);
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return scores[a] > scores[b]; });
  order.resize(std::min(count, order.size()));
  std::vector<Configuration> suggestions;
  for (const std::size_t i : order) suggestions.push_back(std::move(candidates.configurations[i]));
  return suggestions;
}

}  // namespace hyperfd
