#include "tuner/bench/replay.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include "tests/message_of.h"
#include "tests/tuner/bench/two_kinds.h"

namespace hyperfd {
namespace {

const SearchSpace& grid() {
  static const SearchSpace space = SearchSpace::load(HYPERFD_SOURCE_DIR "/search_spaces/hpo.yaml");
  return space;
}

std::vector<PolicyOutcome> replay_simulated(const std::vector<std::string>& policies, double similarity, int seeds,
                                            unsigned threads = 2, int tasks = 12,
                                            Protocol protocol = Protocol::kOneByOne) {
  SimulatedTableOptions simulated;
  simulated.family.similarity = similarity;
  simulated.tasks = tasks;
  ReplayOptions options;
  options.policies = policies;
  options.seeds = seeds;
  options.threads = threads;
  options.protocol = protocol;
  return replay(
      [&](int seed) {
        return std::make_shared<const LookupTable>(simulate_table("", simulated, static_cast<std::uint64_t>(seed)));
      },
      options)[0];
}

TEST(Replay, RandomSearchRanksAsTheoryHasIt) {
  const auto outcomes = replay_simulated({"random"}, 0.5, 40);
  // The best place of 4 among n is (n + 1) / 5 on average; Table 1 of the paper has the same 20.09.
  EXPECT_NEAR(rank_of(outcomes[0]).mean, 100 * 217.0 / 5 / 216, 2.5);
  // Over 11 tasks; one task's best of four has a standard deviation of ~1.5 points.
  EXPECT_NEAR(gain_of(outcomes[0]).mean, 0, 2);
}

TEST(Replay, GainsWhereTasksAgreeAndNotWhereTheyDoNot) {
  const std::vector<std::string> policies = {"random", "average_rank", "greedy_portfolio", "best_on_source"};
  const auto similar = replay_simulated(policies, 0.8, 20), unlike = replay_simulated(policies, 0, 20);
  for (std::size_t p = 1; p < policies.size(); ++p) {
    EXPECT_LT(rank_of(similar[p]).mean, rank_of(similar[0]).mean / 1.5) << policies[p];
    EXPECT_LT(p_value(similar[p], similar[0]), 0.01) << policies[p];
    EXPECT_GT(gain_of(similar[p]).mean, gain_of(similar[0]).mean) << policies[p];
    EXPECT_GT(rank_of(unlike[p]).mean, rank_of(unlike[0]).mean - 4) << policies[p];
  }
}

// With fewer tasks and families than the others, as its ranker learns after every task.
TEST(Replay, HyperFdGainsWhereTasksAgree) {
  const auto outcomes = replay_simulated({"random", "hyperfd"}, 0.8, 4, 2, 5);
  EXPECT_LT(rank_of(outcomes[1]).mean, rank_of(outcomes[0]).mean / 1.5);
  EXPECT_GT(gain_of(outcomes[1]).mean, gain_of(outcomes[0]).mean);
}

TEST(Replay, GainsFromAllOtherTasksWhereOneIsLeftOut) {
  const auto outcomes = replay_simulated({"random", "average_rank"}, 1, 10, 2, 6, Protocol::kLeaveOneOut);
  EXPECT_LT(rank_of(outcomes[1]).mean, rank_of(outcomes[0]).mean / 1.5);
  EXPECT_LT(p_value(outcomes[1], outcomes[0]), 0.01);
}

TEST(Replay, DoesNotDependOnThreadsOrOnOtherPolicies) {
  const std::vector<std::string> policies = {"hyperfd", "hyperstar", "rgpe", "scot", "gradient_boosting"};
  const auto together = replay_simulated(policies, 0.8, 2, 3, 4);
  for (std::size_t p = 0; p < policies.size(); ++p) {
    const auto alone = replay_simulated({policies[p]}, 0.8, 2, 1, 4);
    for (std::size_t s = 0; s < 2; ++s) {
      for (std::size_t t = 0; t < 3; ++t) {
        EXPECT_EQ(alone[0].seeds[s][t].rank, together[p].seeds[s][t].rank) << policies[p];
        EXPECT_EQ(alone[0].seeds[s][t].gain, together[p].seeds[s][t].gain) << policies[p];
      }
    }
  }
}

TEST(Replay, StartsFromRankersThatAreWarm) {
  const SearchSpace space = SearchSpace::parse(grid().definition());
  auto table = std::make_shared<LookupTable>(LookupTable{"grid", SearchSpace::parse(grid().definition()), {}, {}});
  for (int t = 0; t < 12; ++t) {
    TableTask task;
    task.name = "task " + std::to_string(t);
    task.offline = t < 10;
    for (std::uint64_t i = 0; i < *space.size(); ++i) {
      const double score = static_cast<double>(i * static_cast<std::uint64_t>(t + 3) % 7) / 7;
      task.entries.push_back({space.at(i), score, score});
    }
    table->tasks.push_back(task);
  }
  ReplayOptions options;
  options.policies = {"hyperfd:hidden=8:iterations=5"};
  options.seeds = 2;
  options.budgets = {2};
  const auto replayed = [&] {
    const auto outcome = replay([&](int) { return table; }, options)[0][0];
    return std::make_pair(ranks_by_seed(outcome), gain_of(outcome).mean);
  };
  const auto one = replayed();
  EXPECT_EQ(replayed(), one);

  // With two, the first seed keeps the first warm-up, and the second one has another ranker.
  options.warm_starts = 2;
  EXPECT_EQ(replayed().first[0], one.first[0]);
}

// Near data sets, which the offline ones are, want the opposite of far ones, and only images tell which is which.
LookupTable near_and_far() {
  LookupTable table = toy_table();
  torch::manual_seed(7);
  for (int t = 0; t < 18; ++t) {
    const bool is_far = t >= 12 && t < 17;  // the last one is near
    TableTask task;
    task.name = "task " + std::to_string(t);
    task.offline = t < 12;
    for (int x = 1; x <= 8; ++x) {
      const double score = (is_far ? x : 9 - x) / 10.0;
      task.entries.push_back({Json{{"x", x}}, score, score});
    }
    task.features = toy_features(is_far);
    table.tasks.push_back(std::move(task));
  }
  return table;
}

// All the others' images are read, not only those of the last one.
TEST(Replay, ReadsImagesOfAllOthersWhereOneIsLeftOut) {
  const auto table = std::make_shared<const LookupTable>(near_and_far());
  ReplayOptions options;
  options.policies = {"hyperfd:effects=off:iterations=300:rate=0.01:deviations=off"};
  options.seeds = 1;
  options.budgets = {1};
  options.protocol = Protocol::kLeaveOneOut;
  const auto outcome = replay([&](int) { return table; }, options)[0][0];
  for (std::size_t task = 0; task < 5; ++task) {
    EXPECT_LT(rank_of(outcome, task).mean, 100 * 2.5 / 8) << outcome.tasks[task];
  }
}

TEST(Replay, ReadsFeaturesWithoutImages) {
  auto table = std::make_shared<LookupTable>(near_and_far());
  for (TableTask& task : table->tasks) {
    auto features = std::make_shared<DatasetFeatures>(*task.features);
    features->images = torch::zeros({0, 3});
    task.features = features;
  }
  ReplayOptions options;
  options.policies = {"hyperfd:iterations=1"};
  options.seeds = 1;
  options.budgets = {1};
  EXPECT_EQ(replay([&](int) { return table; }, options)[0][0].tasks.size(), 6u);
}

TEST(Replay, OfSeveralBudgetsIsThatOfEach) {
  SimulatedTableOptions simulated;
  simulated.tasks = 4;
  const auto table = std::make_shared<const LookupTable>(simulate_table("", simulated, 1));
  for (const Protocol protocol : {Protocol::kOneByOne, Protocol::kLeaveOneOut}) {
    ReplayOptions options;
    options.policies = {"random", "rgpe"};
    options.seeds = 2;
    options.protocol = protocol;
    options.budgets = {6, 1, 3};
    const auto together = replay([&](int) { return table; }, options);
    ASSERT_EQ(together.size(), 3u);
    for (std::size_t b = 0; b < together.size(); ++b) {
      ReplayOptions alone = options;
      alone.budgets = {options.budgets[b]};
      const auto outcomes = replay([&](int) { return table; }, alone)[0];
      for (std::size_t p = 0; p < outcomes.size(); ++p) {
        EXPECT_EQ(ranks_by_seed(together[b][p]), ranks_by_seed(outcomes[p]));
        EXPECT_EQ(gains_by_seed(together[b][p]), gains_by_seed(outcomes[p]));
      }
    }
  }
}

// Three configurations, of which the best on validation is the worst on test.
std::shared_ptr<LookupTable> overfitting_table() {
  auto table = std::make_shared<LookupTable>(LookupTable{"part", SearchSpace::parse(grid().definition()), {}, {}});
  TableTask task;
  task.name = "only";
  task.entries = {{grid().at(0), 0.9, 0.2}, {grid().at(1), 0.5, 0.8}, {grid().at(2), 0.1, 0.5}};
  table->tasks.push_back(task);
  return table;
}

TEST(Replay, ChoosesByValidationAndScoresByTest) {
  ReplayOptions options;
  options.policies = {"random"};
  options.budgets = {3};  // everything, so the choice is certain
  options.seeds = 2;
  const auto outcome = replay([](int) { return overfitting_table(); }, options)[0][0];
  for (const auto& seed : outcome.seeds) {
    EXPECT_NEAR(seed[0].rank, 1.0 / 3, 1e-12);
    EXPECT_NEAR(seed[0].gain, 0, 1e-12);
  }
}

// The second configuration is the best of the offline task's by its test split, which is the larger one.
TEST(Replay, OfflineTasksCountAllHeldOutImages) {
  const std::shared_ptr<LookupTable> table = overfitting_table();
  table->tasks[0].offline = true;
  TableTask online;
  online.name = "online";
  online.entries = {{grid().at(0), 0.1, 0.5}, {grid().at(1), 0.9, 0.5}, {grid().at(2), 0.5, 0.5}};
  table->tasks.push_back(online);
  ReplayOptions options;
  options.policies = {"best_on_source"};
  options.budgets = {1};
  options.seeds = 1;
  const auto outcome = replay([&](int) { return table; }, options)[0][0];
  EXPECT_NEAR(outcome.seeds[0][0].rank, 1.0 / 3, 1e-12);
}

// Each knows the other with its whole validation split, whichever comes first.
TEST(Replay, LeavesOneOut) {
  const std::shared_ptr<LookupTable> table = overfitting_table();
  TableTask other;
  other.name = "other";
  other.entries = {{grid().at(0), 0.1, 0.5}, {grid().at(1), 0.9, 0.5}, {grid().at(2), 0.5, 0.5}};
  table->tasks.push_back(other);
  ReplayOptions options;
  options.policies = {"best_on_source"};
  options.budgets = {1};
  options.seeds = 4;
  options.protocol = Protocol::kLeaveOneOut;
  const auto outcome = replay([&](int) { return table; }, options)[0][0];
  for (const auto& seed : outcome.seeds) {
    EXPECT_NEAR(seed[0].rank, 2.0 / 3, 1e-12);
    EXPECT_NEAR(seed[1].rank, 1, 1e-12);
  }
}

TEST(Replay, SaysWhatATableLacks) {
  ReplayOptions options;
  options.policies = {"random"};
  options.budgets = {4};
  EXPECT_EQ(message_of([&] { replay([](int) { return overfitting_table(); }, options); }),
            "task only: 3 configurations are fewer than the budget of 4");
  options.policies = {"randm"};
  EXPECT_EQ(message_of([&] { replay([](int) { return overfitting_table(); }, options); }),
            "unknown policy \"randm\"; did you mean \"random\"?");
}

}  // namespace
}  // namespace hyperfd
