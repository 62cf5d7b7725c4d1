#pragma once

#include <memory>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "tuner/platform/selection_policy.h"

namespace hyperfd {

inline SearchSpace grid_space() {
  return SearchSpace::load(HYPERFD_SOURCE_DIR "/search_spaces/hpo.yaml");
}

// Builds experience task by task.
class PastBuilder {
 public:
  explicit PastBuilder(const SearchSpace& space) : space_(space) {}

  PastBuilder& add(const std::vector<ScoredConfiguration>& results, std::vector<double> statistics = {},
                   bool offline = false) {
    tasks_.push_back(std::make_shared<const PastTask>("task " + std::to_string(tasks_.size()), space_, results,
                                                      std::move(statistics), offline));
    return *this;
  }
  PastExperience build() const { return PastExperience(tasks_); }

 private:
  const SearchSpace& space_;
  PastExperience::Tasks tasks_;
};

// Asks one by one, each time with the results of what came before.
template <typename Report>
std::vector<Configuration> ask_one_by_one(const SelectionPolicy& policy, const SearchSpace& space,
                                          const PastExperience& past, int count, std::uint64_t seed,
                                          const Report& report, const std::vector<double>& statistics = {}) {
  Rng rng(seed);
  std::vector<ScoredConfiguration> results;
  ConfigurationKeys taken;
  std::vector<Configuration> suggestions;
  for (int i = 0; i < count; ++i) {
    const auto next = policy.suggest({space, results, taken, nullptr, past, statistics}, 1, rng);
    if (next.empty()) break;
    suggestions.push_back(next[0]);
    results.push_back({next[0], report(next[0])});
    taken.insert(configuration_key(next[0]));
  }
  return suggestions;
}

}  // namespace hyperfd
