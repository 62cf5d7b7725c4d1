#include "tuner/platform/past_tasks.h"

#include <gtest/gtest.h>

#include "tuner/platform/platform.h"
#include "tuner/platform/sqlite_store.h"

namespace hyperfd {
namespace {

constexpr char kDefinition[] = R"({"n":{"_type":"choice","_value":[1,2,3,4,5,6,7,8,9]}})";

class PastTasksTest : public ::testing::Test {
 protected:
  void begin(const std::string& experiment, OptimizeMode mode = OptimizeMode::kMaximize,
             const std::string& policy = "random") {
    platform_.begin_run(experiment, {"run", kDefinition, mode, 0, policy, 1});
  }
  void import(const std::string& experiment, int n, double value) {
    platform_.import_results(experiment, "run", {{Json{{"n", n}}.dump(), std::to_string(value)}});
  }
  // The score of {"n": n} in `task` of `past`; -1 where it has none.
  double score(const PastExperience& past, std::size_t task, int n) {
    for (const ScoredConfiguration& result : past.tasks().at(task)->results()) {
      if (result.configuration["n"] == n) return result.score;
    }
    return -1;
  }
  std::string suggest(const std::string& experiment) {
    return platform_.suggest(experiment, "run", {0}).at(0).parameters;
  }

  const SearchSpace space_ = SearchSpace::parse(parse_json(kDefinition, "space"));
  std::unique_ptr<ExperienceStore> store_ = open_store(":memory:");
  Platform platform_{*store_, [] {}};
};

TEST_F(PastTasksTest, AreTheOthersOldestFirst) {
  begin("a");
  begin("b");
  begin("c");
  import("c", 5, 0.5);
  import("a", 1, 0.25);
  import("a", 2, 0.75);
  PastTasks past(*store_);
  const auto for_b = past.others(space_, 2);
  ASSERT_EQ(for_b->tasks().size(), 2u);
  EXPECT_EQ(for_b->tasks()[0]->name(), "a");
  EXPECT_EQ(for_b->tasks()[1]->name(), "c");
  EXPECT_EQ(score(*for_b, 0, 2), 0.75);
  EXPECT_EQ(past.others(space_, 1)->tasks().size(), 1u);
}

TEST_F(PastTasksTest, HaveTheNumbersOfTheirDataSetsAndTheOfflineOnesFirst) {
  platform_.begin_run("mine",
                      {"run", kDefinition, OptimizeMode::kMaximize, 0, "random", 1, "", {{"size", 5}, {"age", 7}}});
  import("mine", 1, 0.5);
  begin("offline/theirs");
  import("offline/theirs", 1, 0.5);
  PastTasks past(*store_);
  const auto others = past.others(space_, 99, {"age", "size"});
  ASSERT_EQ(others->tasks().size(), 2u);
  EXPECT_TRUE(others->tasks()[0]->offline());
  EXPECT_TRUE(others->tasks()[0]->statistics().empty());
  EXPECT_FALSE(others->tasks()[1]->offline());
  EXPECT_EQ(others->tasks()[1]->statistics(), (std::vector<double>{7, 5}));
  EXPECT_TRUE(past.others(space_, 99, {"age"})->tasks()[1]->statistics().empty()) << "all of them or none";
}

TEST_F(PastTasksTest, AreReadAgainOnlyWhereResultsChanged) {
  begin("a");
  begin("b");
  begin("c");
  import("a", 1, 0.25);
  import("c", 1, 0.5);
  PastTasks past(*store_);
  const auto before = past.others(space_, 2);
  EXPECT_EQ(past.others(space_, 2), before);
  import("c", 2, 0.75);
  past.changed(3);
  const auto after = past.others(space_, 2);
  EXPECT_NE(after, before);
  EXPECT_EQ(after->tasks()[0], before->tasks()[0]);
  EXPECT_EQ(score(*after, 1, 2), 0.75);
  past.changed(2);
  EXPECT_EQ(past.others(space_, 2), after) << "its own results do not matter to it";
}

TEST_F(PastTasksTest, MoveSuggestionsAsResultsComeInAndModesChange) {
  begin("a");
  import("a", 4, 0.9);
  import("a", 7, 0.1);
  begin("first", OptimizeMode::kMaximize, "average_rank");
  EXPECT_EQ(suggest("first"), R"({"n":4})");
  import("a", 8, 0.95);
  begin("second", OptimizeMode::kMaximize, "average_rank");
  EXPECT_EQ(suggest("second"), R"({"n":8})");
  begin("a", OptimizeMode::kMinimize);
  begin("third", OptimizeMode::kMaximize, "average_rank");
  EXPECT_EQ(suggest("third"), R"({"n":7})");
}

}  // namespace
}  // namespace hyperfd
