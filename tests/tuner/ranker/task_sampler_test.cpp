#include "tuner/ranker/task_sampler.h"

#include <algorithm>
#include <map>
#include <set>

#include <gtest/gtest.h>

namespace hyperfd {
namespace {

std::vector<TaskRole> roles_of(std::size_t offline, std::size_t past, std::size_t current) {
  std::vector<TaskRole> roles(offline, TaskRole::kOffline);
  roles.insert(roles.end(), past, TaskRole::kPast);
  roles.insert(roles.end(), current, TaskRole::kCurrent);
  return roles;
}

// Shares of the roles among so many draws of one task.
std::map<TaskRole, double> shares(const std::vector<TaskRole>& roles) {
  constexpr int kDraws = 20000;
  RankerOptions options;
  options.tasks_per_iteration = 1;
  const TaskSampler sampler(roles, options);
  Rng rng(1);
  std::map<TaskRole, double> result;
  for (int i = 0; i < kDraws; ++i) result[roles[sampler.draw(rng).at(0)]] += 1.0 / kDraws;
  return result;
}

// However many tasks a role has: 5 : 1 : 1 (Table 12).
TEST(TaskSampler, DrawsRolesByTheirShares) {
  auto drawn = shares(roles_of(60, 3, 1));
  EXPECT_NEAR(drawn[TaskRole::kOffline], 5.0 / 7, 0.02);
  EXPECT_NEAR(drawn[TaskRole::kPast], 1.0 / 7, 0.02);
  EXPECT_NEAR(drawn[TaskRole::kCurrent], 1.0 / 7, 0.02);
  drawn = shares(roles_of(2, 0, 9));  // among those that there are
  EXPECT_NEAR(drawn[TaskRole::kOffline], 5.0 / 6, 0.02);
}

TEST(TaskSampler, DrawsNoTaskTwiceInABatch) {
  RankerOptions options;
  options.tasks_per_iteration = 4;
  Rng rng(2);
  for (const std::size_t tasks : {2u, 4u, 30u}) {
    const TaskSampler sampler(roles_of(tasks - 1, 0, 1), options);
    for (int i = 0; i < 50; ++i) {
      const std::vector<std::size_t> drawn = sampler.draw(rng);
      EXPECT_EQ(drawn.size(), std::min<std::size_t>(tasks, 4));
      EXPECT_EQ(std::set<std::size_t>(drawn.begin(), drawn.end()).size(), drawn.size());
    }
  }
}

TEST(TaskSampler, LeavesOutRolesWithoutAShare) {
  RankerOptions options;
  options.offline_share = 0;
  Rng rng(3);
  const TaskSampler sampler(roles_of(5, 1, 1), options);
  for (int i = 0; i < 20; ++i) {
    for (const std::size_t task : sampler.draw(rng)) EXPECT_GE(task, 5u);
  }
}

}  // namespace
}  // namespace hyperfd
