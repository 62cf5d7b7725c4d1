#include "tuner/platform/hyperfd_policy.h"

#include <algorithm>
#include <numeric>

#include "tuner/platform/random_policy.h"
#include "tuner/platform/untaken.h"

namespace hyperfd {
namespace {

constexpr std::uint64_t kEnumerateUpTo = 2000;
constexpr std::size_t kSampledCandidates = 200;

// At least `count` of them unless the space has no more.
std::vector<Configuration> make_candidates(const TaskView& task, std::size_t count, Rng& rng) {
  Untaken untaken(task.space, task.taken);
  const auto size = task.space.size();
  if (size && *size <= kEnumerateUpTo) return untaken.enumerate();
  std::vector<Configuration> candidates;
  while (candidates.size() < std::max(kSampledCandidates, count)) {
    auto drawn = untaken.draw(rng);
    if (!drawn) break;
    candidates.push_back(std::move(*drawn));
  }
  return candidates;
}

TaskExperience own_experience(const TaskView& task) {
  TaskExperience own;
  for (const ScoredConfiguration& result : task.results) {
    own.encodings.push_back(task.space.encode(result.configuration));
    own.scores.push_back(result.score);
  }
  return own;
}

// Indices of `candidates`, best first; equal scores in the order of candidates.
std::vector<std::size_t> rank(const TaskView& task, const std::vector<Configuration>& candidates) {
  std::vector<EncodedConfiguration> encodings;
  for (const Configuration& candidate : candidates) encodings.push_back(task.space.encode(candidate));
  const std::vector<float> scores = task.model->score(own_experience(task), encodings);
  std::vector<std::size_t> order(candidates.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return scores[a] > scores[b]; });
  return order;
}

bool explores(std::size_t position) {
  return position % 2 == 1;
}

}  // namespace

std::vector<Configuration> HyperFdPolicy::suggest(const TaskView& task, std::size_t count, Rng& rng) const {
  if (!task.model || !task.model->trained()) return RandomPolicy().suggest(task, count, rng);
  std::vector<Configuration> candidates = make_candidates(task, count, rng);
  std::vector<std::size_t> ranking = rank(task, candidates);

  std::vector<Configuration> suggestions;
  while (suggestions.size() < count && !ranking.empty()) {
    const bool is_random = explores(task.taken.size() + suggestions.size());
    const auto pick = ranking.begin() + static_cast<std::ptrdiff_t>(is_random ? rng.below(ranking.size()) : 0);
    suggestions.push_back(std::move(candidates[*pick]));
    ranking.erase(pick);
  }
  return suggestions;
}

}  // namespace hyperfd
