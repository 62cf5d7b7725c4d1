#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "tuner/platform/memo.h"
#include "tuner/space/search_space.h"

namespace hyperfd {

struct ScoredConfiguration {
  Configuration configuration;
  double score = 0;  // higher is better: the sign of a minimised metric is already turned
};

// A task as others see it. Never changes: with more results it becomes another object.
class PastTask {
 public:
  // `results`: points of `space` with finite scores; those of one configuration become one result, their mean.
  // `offline`: shipped with the platform; false for what clients tuned.
  PastTask(std::string name, const SearchSpace& space, const std::vector<ScoredConfiguration>& results,
           std::vector<double> statistics = {}, bool offline = false);

  const std::string& name() const { return name_; }
  bool offline() const { return offline_; }
  // Numbers that describe the data set, on any scale, the same ones for all tasks; empty when they are not known.
  const std::vector<double>& statistics() const { return statistics_; }

  // Results, in the order in which they came; every vector has size() elements.
  std::size_t size() const { return results_.size(); }
  const std::vector<ScoredConfiguration>& results() const { return results_; }
  const std::vector<ConfigurationKey>& keys() const { return keys_; }
  const std::vector<std::vector<float>>& encodings() const { return encodings_; }  // SearchSpace::encode()
  // relative_ranks() of the scores.
  const std::vector<double>& ranks() const { return ranks_; }

  const Memo& memo() const { return memo_; }

 private:
  std::string name_;
  std::vector<double> statistics_;
  bool offline_;
  std::vector<ScoredConfiguration> results_;
  std::vector<ConfigurationKey> keys_;
  std::vector<std::vector<float>> encodings_;
  std::vector<double> ranks_;
  Memo memo_;
};

// Every past task of a search-space signature, oldest first, the offline ones before all others. Never changes; what
// policies derive from it at some cost they keep in its memo().
class PastExperience {
 public:
  using Tasks = std::vector<std::shared_ptr<const PastTask>>;

  PastExperience() = default;
  // Leaves out tasks without results.
  explicit PastExperience(Tasks tasks);

  const Tasks& tasks() const { return tasks_; }
  bool empty() const { return configurations_.empty(); }

  // The distinct configurations of all tasks, in the order in which they were first tried.
  const std::vector<const Configuration*>& configurations() const { return configurations_; }
  // The place in configurations() of every result of tasks()[task].
  const std::vector<std::size_t>& places(std::size_t task) const { return places_[task]; }

  const Memo& memo() const { return memo_; }

  static const PastExperience& none();

 private:
  Tasks tasks_;
  std::vector<const Configuration*> configurations_;  // of results of tasks_
  std::vector<std::vector<std::size_t>> places_;
  Memo memo_;
};

// For every score the share of the others that are better, ties counting half: 0 for the best, 1 for the worst, 0.5 for
// a single one.
std::vector<double> relative_ranks(const std::vector<double>& scores);

}  // namespace hyperfd
