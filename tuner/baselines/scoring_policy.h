#pragma once

#include <vector>

#include "tuner/platform/selection_policy.h"

namespace hyperfd {

// What a policy chooses from: all that is left of a space of at most 2,000 configurations; of a larger one what past
// tasks tried (the newest 1,000) and 200 draws, or as many draws as are asked for if that is more.
struct Candidates {
  std::vector<Configuration> configurations;
  std::vector<ConfigurationKey> keys;
  std::vector<std::vector<float>> encodings;

  std::size_t size() const { return configurations.size(); }
};

Candidates make_candidates_with_past(const TaskView& task, std::size_t count, Rng& rng);

// A policy that gives every candidate a score and suggests the best ones. Without any experience it is `random`.
class ScoringPolicy : public SelectionPolicy {
 public:
  std::vector<Configuration> suggest(const TaskView& task, std::size_t count, Rng& rng) const final;
  bool uses_past() const final { return true; }

 protected:
  // One finite number for each candidate, higher is better; among equal ones chance decides. Only asked when there are
  // results of past tasks or of this one.
  virtual std::vector<double> score(const TaskView& task, const Candidates& candidates, Rng& rng) const = 0;
};

}  // namespace hyperfd
