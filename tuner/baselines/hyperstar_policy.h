#pragma once

#include "tuner/baselines/scoring_policy.h"

namespace hyperfd {

// `hyperstar`: a network that sees data-set features and configuration jointly predicts performance, trained with the
// squared error; the best predictions are tried (Mittal et al., "HyperSTAR: task-aware hyperparameters for deep
// networks", CVPR 2020).
//
// Adapted as in the HyperFD paper (§4.2): the features come from a frozen classifier (whatever stands in the tasks'
// statistics) and the predictor is trained on all history before a task is served. Frozen features leave nothing for
// HyperSTAR's similarity and adversarial losses to train. Scores are standardised over all tasks together, so that, as
// there, the predictor spends its capacity on how hard data sets are as well.
class HyperStarPolicy : public ScoringPolicy {
 protected:
  std::vector<double> score(const TaskView& task, const Candidates& candidates, Rng& rng) const override;
};

}  // namespace hyperfd
