#pragma once

#include "tuner/platform/selection_policy.h"

namespace hyperfd {

// `random`: draws from the distributions of the search space, without repetition until nothing is left.
class RandomPolicy : public SelectionPolicy {
 public:
  std::vector<Configuration> suggest(const TaskView& task, std::size_t count, Rng& rng) const override;
  bool uses_past() const override { return false; }
};

}  // namespace hyperfd
