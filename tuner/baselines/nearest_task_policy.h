#pragma once

#include "tuner/baselines/scoring_policy.h"
#include "tuner/platform/policy_options.h"

namespace hyperfd {

// `nearest_task`: the best configuration of the task whose data-set statistics are nearest, then that of the second
// nearest, and so on over `neighbours` tasks (default 25), then their second best, … (Feurer, Springenberg & Hutter,
// "Initializing Bayesian hyperparameter optimization via meta-learning", AAAI 2015; auto-sklearn 1's warm start).
//
// Distance is the L1 norm of the standardised statistics, as there. A task with unknown statistics stands at their
// mean; of equally near ones the newest comes first, so without any statistics the newest task is the nearest.
class NearestTaskPolicy : public ScoringPolicy {
 public:
  explicit NearestTaskPolicy(PolicyOptions& options);

 protected:
  std::vector<double> score(const TaskView& task, const Candidates& candidates, Rng& rng) const override;

 private:
  std::size_t neighbours_;
};

// Indices of past.tasks(), nearest first.
std::vector<std::size_t> tasks_by_distance(const PastExperience& past, const std::vector<double>& statistics);

}  // namespace hyperfd
