#include "tuner/ranker/task_sampler.h"

#include <algorithm>
#include <numeric>

namespace hyperfd {

std::vector<std::int64_t> draw_some(std::int64_t n, std::int64_t count, Rng& rng) {
  std::vector<std::int64_t> all(static_cast<std::size_t>(n));
  std::iota(all.begin(), all.end(), 0);
  if (n <= count) return all;
  rng.shuffle(all);
  all.resize(static_cast<std::size_t>(count));
  return all;
}

TaskSampler::TaskSampler(const std::vector<TaskRole>& roles, const RankerOptions& options)
    : groups_({{options.past_share, {}}, {options.offline_share, {}}, {options.current_share, {}}}),
      batch_(static_cast<std::size_t>(options.tasks_per_iteration)) {
  for (std::size_t i = 0; i < roles.size(); ++i) groups_[static_cast<std::size_t>(roles[i])].tasks.push_back(i);
}

std::vector<std::size_t> TaskSampler::draw(Rng& rng) const {
  std::vector<Group> left = groups_;
  std::vector<std::size_t> drawn;
  while (drawn.size() < batch_) {
    left.erase(std::remove_if(left.begin(), left.end(),
                              [](const Group& group) { return group.tasks.empty() || group.share <= 0; }),
               left.end());
    if (left.empty()) break;
    double total = 0;
    for (const Group& group : left) total += group.share;
    double point = rng.uniform(0, total);
    std::size_t g = 0;
    while (g + 1 < left.size() && point >= left[g].share) point -= left[g++].share;
    std::vector<std::size_t>& tasks = left[g].tasks;
    const std::size_t at = rng.below(tasks.size());
    drawn.push_back(tasks[at]);
    tasks[at] = tasks.back();
    tasks.pop_back();
  }
  return drawn;
}

}  // namespace hyperfd
