#include "tuner/platform/past_experience.h"

#include <algorithm>
#include <numeric>
#include <utility>

namespace hyperfd {

PastTask::PastTask(std::string name, const SearchSpace& space, const std::vector<ScoredConfiguration>& results,
                   std::vector<double> statistics, bool offline)
    : name_(std::move(name)), statistics_(std::move(statistics)), offline_(offline) {
  std::unordered_map<ConfigurationKey, std::size_t> known;
  std::vector<double> counts, scores;
  for (const ScoredConfiguration& result : results) {
    const ConfigurationKey key = configuration_key(result.configuration);
    const auto [found, is_new] = known.emplace(key, results_.size());
    if (is_new) {
      results_.push_back(result);
      keys_.push_back(key);
      encodings_.push_back(space.encode(result.configuration));
      counts.push_back(1);
    } else {
      ScoredConfiguration& mean = results_[found->second];
      const double count = ++counts[found->second];
      mean.score =
          mean.score * ((count - 1) / count) + result.score / count;  // never beyond either, unlike a difference
    }
  }
  for (const ScoredConfiguration& result : results_) scores.push_back(result.score);
  ranks_ = relative_ranks(scores);
}

PastExperience::PastExperience(Tasks tasks) : tasks_(std::move(tasks)) {
  tasks_.erase(std::remove_if(tasks_.begin(), tasks_.end(), [](const auto& task) { return task->size() == 0; }),
               tasks_.end());
  std::unordered_map<ConfigurationKey, std::size_t> known;
  for (const auto& task : tasks_) {
    std::vector<std::size_t>& places = places_.emplace_back();
    for (std::size_t i = 0; i < task->size(); ++i) {
      const auto [found, is_new] = known.emplace(task->keys()[i], configurations_.size());
      if (is_new) configurations_.push_back(&task->results()[i].configuration);
      places.push_back(found->second);
    }
  }
}

const PastExperience& PastExperience::none() {
  static const PastExperience nothing;
  return nothing;
}

std::vector<double> relative_ranks(const std::vector<double>& scores) {
  if (scores.size() == 1) return {0.5};
  std::vector<std::size_t> order(scores.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return scores[a] > scores[b]; });
  std::vector<double> ranks(scores.size());
  for (std::size_t begin = 0, end = 0; begin < order.size(); begin = end) {
    ++end;
    while (end < order.size() && scores[order[end]] == scores[order[begin]]) ++end;
    // `begin` are better, and of the end − begin − 1 equal ones half count.
    const double rank = (static_cast<double>(begin) + static_cast<double>(end - begin - 1) / 2) /
                        static_cast<double>(scores.size() - 1);
    for (std::size_t i = begin; i < end; ++i) ranks[order[i]] = rank;
  }
  return ranks;
}

}  // namespace hyperfd
