#include "tuner/platform/hyperfd_policy.h"

#include <algorithm>
#include <numeric>

#include "tuner/baselines/random_policy.h"
#include "tuner/platform/candidates.h"

namespace hyperfd {
namespace {

TaskExperience own_experience(const TaskView& task) {
  TaskExperience own;
  for (const ScoredConfiguration& result : task.results) {
    own.encodings.push_back(task.space.encode(result.configuration));
    own.scores.push_back(result.score);
  }
  return own;
}

// Indices of `scores`, best first; equal scores in the order of their indices.
std::vector<std::size_t> rank(const std::vector<float>& scores) {
  std::vector<std::size_t> order(scores.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return scores[a] > scores[b]; });
  return order;
}

bool explores(std::size_t position) {
  return position % 2 == 1;
}

// A random entry of `ranking` that is below `drawn`, or any if there is none.
std::vector<std::size_t>::iterator pick_randomly(std::vector<std::size_t>& ranking, std::size_t drawn, Rng& rng) {
  std::vector<std::vector<std::size_t>::iterator> eligible;
  for (auto entry = ranking.begin(); entry != ranking.end(); ++entry) {
    if (*entry < drawn) eligible.push_back(entry);
  }
  if (eligible.empty()) return ranking.begin() + static_cast<std::ptrdiff_t>(rng.below(ranking.size()));
  return eligible[rng.below(eligible.size())];
}

}  // namespace

std::vector<Configuration> HyperFdPolicy::suggest(const TaskView& task, std::size_t count, Rng& rng) const {
  if (!task.model || !task.model->trained()) return RandomPolicy().suggest(task, count, rng);
  const TaskExperience own = own_experience(task);
  const auto score = [&](const std::vector<Configuration>& configurations) {
    std::vector<std::vector<float>> encodings;
    for (const Configuration& configuration : configurations) encodings.push_back(task.space.encode(configuration));
    return task.model->score(own, encodings);
  };
  std::vector<Configuration> candidates = make_candidates(task, count, rng);
  const std::size_t drawn = candidates.size();
  std::vector<float> scores = score(candidates);
  improve_candidates(task, candidates, scores, score, rng);
  std::vector<std::size_t> ranking = rank(scores);

  std::vector<Configuration> suggestions;
  while (suggestions.size() < count && !ranking.empty()) {
    const bool is_random = explores(task.taken.size() + suggestions.size());
    const auto pick = is_random ? pick_randomly(ranking, drawn, rng) : ranking.begin();
    suggestions.push_back(std::move(candidates[*pick]));
    ranking.erase(pick);
  }
  return suggestions;
}

}  // namespace hyperfd
