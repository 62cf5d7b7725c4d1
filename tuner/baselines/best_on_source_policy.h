#pragma once

#include "tuner/baselines/scoring_policy.h"

namespace hyperfd {

// `best_on_source`: the configurations that did best on the source data set (the paper's "Best on WIDER"), from the
// best downwards, whatever the task.
//
// Source is every offline task, or where there is none the oldest task. Several count by their mean relative rank.
// What a source task did not try gets the rank that a Gaussian process of its results predicts: the paper has grid
// search on the small space and a performance predictor on the large one.
class BestOnSourcePolicy : public ScoringPolicy {
 protected:
  std::vector<double> score(const TaskView& task, const Candidates& candidates, Rng& rng) const override;
};

}  // namespace hyperfd
