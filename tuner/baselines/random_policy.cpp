#include "tuner/baselines/random_policy.h"

#include "tuner/platform/untaken.h"

namespace hyperfd {

std::vector<Configuration> RandomPolicy::suggest(const TaskView& task, std::size_t count, Rng& rng) const {
  Untaken untaken(task.space, task.taken, task.annotation);
  std::vector<Configuration> suggestions;
  while (suggestions.size() < count) {
    auto drawn = untaken.draw(rng);
    if (!drawn) break;
    suggestions.push_back(std::move(*drawn));
  }
  return suggestions;
}

}  // namespace hyperfd
