#pragma once

#include "tuner/platform/selection_policy.h"

namespace hyperfd {

// `hyperfd`: the learned ranking exploits, random draws explore.
//
// Candidates are those of candidates.h, and in a large space mutants of the best of them. The k-th configuration of a task (k = 0, 1, …) is the
// best-ranked candidate when k is even and a random one that is no mutant when k is odd. So the first suggestion of a task is the top of
// the ranking, half of any budget explores (ratio 0.5), and it makes no difference whether configurations are asked for
// one by one or at once, except that results in between refine the ranking. This goes on after the budget is spent.
// Without a trained model every suggestion is random.
class HyperFdPolicy : public SelectionPolicy {
 public:
  std::vector<Configuration> suggest(const TaskView& task, std::size_t count, Rng& rng) const override;
  bool uses_past() const override { return false; }
  std::optional<RankerOptions> ranker_options() const override { return RankerOptions{}; }
};

}  // namespace hyperfd
