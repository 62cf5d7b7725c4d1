#pragma once

#include "tuner/baselines/scoring_policy.h"

namespace hyperfd {

// `average_rank`: what did best on average over past tasks (Brazdil & Soares, "A comparison of ranking methods for
// classification algorithm selection", ECML 2000).
//
// Experience is sparse, so the mean of a configuration's relative ranks is taken with one more rank of ½: having won
// once counts less than being good ten times, and what nobody tried stands in the middle.
class AverageRankPolicy : public ScoringPolicy {
 protected:
  std::vector<double> score(const TaskView& task, const Candidates& candidates, Rng& rng) const override;
};

// The means as above for every one of past.configurations(), over the tasks with these indices.
std::vector<double> mean_ranks(const PastExperience& past, const std::vector<std::size_t>& tasks);

}  // namespace hyperfd
