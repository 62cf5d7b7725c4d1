#pragma once

#include <vector>

#include "tuner/ranker/task_posterior.h"

namespace hyperfd {

// How unsure a task's posterior is of its means.
enum class Uncertainty {
  kBayesian,  // its own deviations
  kEnsemble,  // deviation of the means of posteriors that see the results drawn with repetition (bootstrap)
  kDropout,   // deviation of the means of posteriors that each miss a fifth of the parameters and of H's units
};

// A TaskPosterior with one of these. The last two cost as much as eight more of them; docs/ranker.md compares. Means
// are always its own.
class PosteriorEnsemble {
 public:
  PosteriorEnsemble(Uncertainty uncertainty, const PosteriorInput& population, const PosteriorInput& results,
                    const std::vector<double>& scores, const EncodingColumns& columns, std::size_t past_tasks);

  // As TaskPosterior's. The means of an ensemble, and so its deviations, do not know of what is awaited.
  void add_pending(const PosteriorInput& pending) { own_.add_pending(pending); }
  TaskPosterior::Prediction predict(const PosteriorInput& candidates) const;
  std::vector<double> acquisition(const PosteriorInput& candidates) const;

 private:
  struct Member {
    TaskPosterior posterior;
    std::vector<float> columns, units;  // that it sees: 0 or 1; empty: all
  };

  TaskPosterior own_;
  std::vector<Member> members_;
};

}  // namespace hyperfd
