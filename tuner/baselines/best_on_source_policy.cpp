#include "tuner/baselines/best_on_source_policy.h"

#include "tuner/baselines/utilities.h"

namespace hyperfd {

std::vector<double> BestOnSourcePolicy::score(const TaskView& task, const Candidates& candidates, Rng&) const {
  std::vector<double> sums(candidates.size());
  for (std::size_t t = 0; t < task.past.tasks().size(); ++t) {
    const PastTask& source = *task.past.tasks()[t];
    if (!source.offline() && t > 0) break;  // offline tasks come first
    const std::vector<double> utilities = utilities_on(source, candidates.keys, candidates.encodings);
    for (std::size_t i = 0; i < sums.size(); ++i) sums[i] += utilities[i];
  }
  return sums;
}

}  // namespace hyperfd
