#pragma once

#include "tuner/baselines/scoring_policy.h"

namespace hyperfd {

// `gradient_boosting`: regression trees on data-set statistics and configuration, boosted to rank the configurations
// within each task (LambdaMART; Burges, 2010), with the task's own results as one more group; the top is tried.
//
// By XGBoost (Chen & Guestrin, 2016), objective rank:ndcg: LightGBM, which has the same method, is not a Debian
// package. 100 trees of depth 4 at rate 0.1; relevance is 15 · (1 − relative rank), rounded.
class GradientBoostingPolicy : public ScoringPolicy {
 protected:
  std::vector<double> score(const TaskView& task, const Candidates& candidates, Rng& rng) const override;
};

}  // namespace hyperfd
