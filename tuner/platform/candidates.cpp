#include "tuner/platform/candidates.h"

#include <algorithm>
#include <iterator>
#include <numeric>

#include "tuner/platform/untaken.h"

namespace hyperfd {
namespace {

constexpr std::uint64_t kEnumerateUpTo = 2000;
constexpr std::size_t kDrawn = 200;
constexpr int kRounds = 5;
constexpr std::size_t kParents = 10, kChildren = 10;  // of each parent
constexpr std::size_t kBestResults = 3;               // that are parents too

// Indices of the highest scores, best first.
template <typename Score>
std::vector<std::size_t> best_of(const std::vector<Score>& scores, std::size_t count) {
  std::vector<std::size_t> order(scores.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  count = std::min(count, order.size());
  std::partial_sort(
      order.begin(), order.begin() + static_cast<std::ptrdiff_t>(count), order.end(),
      [&](std::size_t a, std::size_t b) { return scores[a] != scores[b] ? scores[a] > scores[b] : a < b; });
  order.resize(count);
  return order;
}

}  // namespace

bool is_enumerated(const SearchSpace& space) {
  return space.size() && *space.size() <= kEnumerateUpTo;
}

std::vector<Configuration> make_candidates(const TaskView& task, std::size_t count, Rng& rng) {
  Untaken untaken(task.space, task.taken, task.annotation);
  return make_candidates(task.space, untaken, count, rng);
}

std::vector<Configuration> make_candidates(const SearchSpace& space, Untaken& untaken, std::size_t count, Rng& rng) {
  if (is_enumerated(space)) return untaken.enumerate();
  std::vector<Configuration> candidates;
  while (candidates.size() < std::max(kDrawn, count)) {
    auto drawn = untaken.draw(rng);
    if (!drawn) break;
    candidates.push_back(std::move(*drawn));
  }
  return candidates;
}

void improve_candidates(const TaskView& task, std::vector<Configuration>& candidates, std::vector<float>& scores,
                        const ScoreBatch& score, Rng& rng) {
  if (is_enumerated(task.space) || candidates.empty()) return;
  Untaken untaken(task.space, task.taken, task.annotation);
  for (const Configuration& candidate : candidates) untaken.take(candidate);
  const auto add = [&](std::vector<Configuration> mutants) {
    if (mutants.empty()) return false;
    const std::vector<float> mutant_scores = score(mutants);
    std::move(mutants.begin(), mutants.end(), std::back_inserter(candidates));
    scores.insert(scores.end(), mutant_scores.begin(), mutant_scores.end());
    return true;
  };
  std::vector<double> results;
  for (const ScoredConfiguration& result : task.results) results.push_back(result.score);
  std::vector<Configuration> near_results;
  for (const std::size_t parent : best_of(results, kBestResults)) {
    for (std::size_t i = 0; i < kChildren; ++i) {
      Configuration mutant = task.space.mutate(task.results[parent].configuration, rng);
      if (i % 2 == 1) mutant = task.space.mutate(mutant, rng);
      if (untaken.take(mutant)) near_results.push_back(std::move(mutant));
    }
  }
  add(std::move(near_results));
  for (int round = 0; round < kRounds; ++round) {
    std::vector<Configuration> mutants;
    for (const std::size_t parent : best_of(scores, kParents)) {
      for (std::size_t i = 0; i < kChildren; ++i) {
        Configuration mutant = task.space.mutate(candidates[parent], rng);
        if (untaken.take(mutant)) mutants.push_back(std::move(mutant));
      }
    }
    if (!add(std::move(mutants))) return;
  }
}

}  // namespace hyperfd
