#pragma once

#include "tuner/baselines/scoring_policy.h"

namespace hyperfd {

// `scot`: surrogate-based collaborative tuning (Bardenet, Brendel, Kégl & Sebag, "Collaborative hyperparameter tuning",
// ICML 2013). One surrogate over data-set statistics and configuration learns from all tasks what ranks high within
// each of them, and expected improvement picks.
//
// There an SVM makes scores from the ranks, which a Gaussian process then smooths; here the process learns the ranks'
// normal scores directly. Statistics and configuration have a length scale each. At most 1,600 past results are used,
// of every task alike (of more than 400 tasks, the newest), and the newest 100 of the task itself; the parameters are
// fitted to past ones alone, to at most 400 that are chosen likewise.
class ScotPolicy : public ScoringPolicy {
 protected:
  std::vector<double> score(const TaskView& task, const Candidates& candidates, Rng& rng) const override;
};

}  // namespace hyperfd
