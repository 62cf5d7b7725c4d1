#pragma once

#include "tuner/baselines/gaussian_process.h"
#include "tuner/baselines/scoring_policy.h"

namespace hyperfd {

// `rgpe`: an ensemble of one Gaussian process a task, past and present, weighted by how well each ranks the task's own
// results, and expected improvement on it (Feurer, Letham, Hutter & Bakshy, "Practical transfer learning for Bayesian
// optimization", 2018).
//
// Adapted: targets are normal scores of ranks. Of more than 100 own results the newest count. With fewer than two there
// is nothing to weigh by: all past tasks weigh alike, and without any the predicted mean is what counts.
class RgpePolicy : public ScoringPolicy {
 protected:
  std::vector<double> score(const TaskView& task, const Candidates& candidates, Rng& rng) const override;
};

// losses[model][sample], the task's own model last. A model's weight is the share of samples in which its loss is the
// smallest (ties share). A past task's model whose median loss is above the 95th percentile of the own model's gets
// none, so that many useless models do not drown the task's own.
std::vector<double> rgpe_weights(const std::vector<std::vector<double>>& losses);

}  // namespace hyperfd
