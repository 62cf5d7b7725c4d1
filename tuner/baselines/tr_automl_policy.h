#pragma once

#include <Eigen/Dense>

#include "tuner/baselines/scoring_policy.h"

namespace hyperfd {

// `tr_automl`: sharing the best within groups of data sets (Xue et al., "Transferable AutoML by model sharing over
// grouped datasets", CVPR 2019): a data set is described by how benchmark models perform on it, data sets are grouped
// by a Markov process with a statistical test, and a group shares its best model.
//
// Adapted to trials: the benchmark is the best and the median configuration of the oldest task, which every task tries
// first. Tasks that have both results are grouped by Markov clustering of their similarities. A task that does not pass
// the test, at 5 %, of belonging to its group is on its own, and goes on at random. A group shares its configurations
// by mean rank, best first: more than the top one, whose sharing the HyperFD paper (§4.2) calls too arbitrary.
class TrAutoMlPolicy : public ScoringPolicy {
 protected:
  std::vector<double> score(const TaskView& task, const Candidates& candidates, Rng& rng) const override;
};

// Markov clustering (van Dongen, 2000) of a symmetric matrix of similarities: the random walk's matrix is squared and
// its columns are sharpened (power 2) until nothing moves. The number of the group of each node, from 0.
std::vector<std::size_t> markov_groups(const Eigen::MatrixXd& similarities);

}  // namespace hyperfd
