#pragma once

#include "tuner/platform/selection_policy.h"

namespace hyperfd {

// `greedy_portfolio`: each next configuration is the one that most improves the mean over past tasks of the best so far
// (Feurer et al., "Auto-sklearn 2.0", JMLR 2022, algorithm 1; FLAML's zero-shot AutoML). What the task already has
// counts as chosen, so that one by one and at once give the same; results of the task itself are not looked at.
//
// There, every configuration was evaluated on every task. Here gaps are filled by a Gaussian process of each task, and
// the best is meant by relative rank (utilities.h), which needs no common scale.
class GreedyPortfolioPolicy : public SelectionPolicy {
 public:
  std::vector<Configuration> suggest(const TaskView& task, std::size_t count, Rng& rng) const override;
  bool uses_past() const override { return true; }
};

// utilities[task][candidate]; `best`: so far, for each task. The candidates in the order of choice, `count` of them or
// all; of equal ones the first.
std::vector<std::size_t> choose_portfolio(const std::vector<std::vector<double>>& utilities, std::vector<double> best,
                                          std::size_t count);

}  // namespace hyperfd
