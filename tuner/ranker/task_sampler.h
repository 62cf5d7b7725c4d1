#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "tuner/base/rng.h"
#include "tuner/ranker/ranker_options.h"
#include "tuner/ranker/task_experience.h"

namespace hyperfd {

// `count` of {0, …, n − 1} without repetition; all of them in order when there are no more.
std::vector<std::int64_t> draw_some(std::int64_t n, std::int64_t count, Rng& rng);

// Draws the tasks of a batch without repetition: for each place a role by its share among the roles that have tasks
// left (S_offline : S_past : S), then any of these tasks.
class TaskSampler {
 public:
  TaskSampler(const std::vector<TaskRole>& roles, const RankerOptions& options);
  // Indices into `roles`.
  std::vector<std::size_t> draw(Rng& rng) const;

 private:
  struct Group {
    double share;
    std::vector<std::size_t> tasks;
  };
  std::vector<Group> groups_;
  std::size_t batch_;
};

}  // namespace hyperfd
