#include "tuner/bench/warm_up.h"

#include <cmath>

#include <gtest/gtest.h>
#include <torch/torch.h>

#include "tests/message_of.h"
#include "tests/tuner/bench/two_kinds.h"
#include "tests/tuner/temporary_folder.h"
#include "tuner/bench/bundle.h"
#include "tuner/platform/platform.h"
#include "tuner/platform/sqlite_store.h"

namespace hyperfd {
namespace {

// Two kinds of data sets that want opposite configurations and whose images look different.
LookupTable two_kinds(int tasks) {
  LookupTable table = toy_table();
  torch::manual_seed(7);
  for (int t = 0; t < tasks; ++t) {
    const bool is_far = t % 2 == 1;
    TableTask task;
    task.name = (is_far ? "far" : "near") + std::to_string(t);
    for (int x = 1; x <= 8; ++x) {
      task.entries.push_back({Json{{"x", x}}, (is_far ? x : 9 - x) / 10.0, 0.5});
    }
    task.features = toy_features(is_far);
    table.tasks.push_back(std::move(task));
  }
  return table;
}

WarmUpOptions quick() {
  WarmUpOptions options;
  options.rounds = 8;
  options.iterations = 30;
  options.patience = 3;
  return options;
}

TEST(Ndcg, EqualsAHandCount) {
  // Gains 2^r − 1 are 7, 1, 0; the order by score is 1, 0, 2.
  const double ideal = 7 + 1 / std::log2(3.0), found = 1 + 7 / std::log2(3.0);
  EXPECT_NEAR(ndcg({0.5F, 0.9F, 0.1F}, {3, 1, 0}), found / ideal, 1e-12);
  EXPECT_EQ(ndcg({3, 2, 1}, {3, 1, 0}), 1);
  EXPECT_EQ(ndcg({1, 2}, {0, 0}), 1);
}

TEST(WarmUp, TellsKindsOfDataSetsApartByTheirImages) {
  std::vector<double> rounds;
  WarmUpOptions options = quick();
  options.on_round = [&](int round, double value) {
    EXPECT_EQ(round, static_cast<int>(rounds.size()));
    rounds.push_back(value);
  };
  const LookupTable table = two_kinds(12);
  const WarmUpLength with_images = warm_up_length(table, options);
  EXPECT_GT(with_images.ndcg, 0.97);
  EXPECT_GE(with_images.rounds, 1);
  EXPECT_EQ(with_images.ndcg, *std::max_element(rounds.begin(), rounds.end()));

  // Without images nobody can know which kind a new data set is.
  options.on_round = nullptr;
  options.ranker.images = false;
  LookupTable blind = two_kinds(12);
  const WarmUpLength without = warm_up_length(blind, options);
  EXPECT_LT(without.ndcg, with_images.ndcg);
}

// Near data sets want the opposite of far ones, so whatever a ranker learns of one kind is wrong about the other.
TEST(WarmUp, ValidatesOnAnotherKindWhereToldTo) {
  WarmUpOptions options = quick();
  EXPECT_GE(warm_up_length(two_kinds(12), options).rounds, 1);
  options.apart = "^far";
  EXPECT_EQ(warm_up_length(two_kinds(12), options).rounds, 0);
  options.apart = "^no task";
  EXPECT_NE(message_of([&] { warm_up_length(two_kinds(12), options); }).find("some names of tasks match"),
            std::string::npos);
  options.apart = "(";
  EXPECT_NE(message_of([&] { warm_up_length(two_kinds(12), options); }).find("a regular expression, got \"(\""),
            std::string::npos);
}

TEST(WarmUp, NamesNumbersAfterAnyTaskThatHasNames) {
  LookupTable table = two_kinds(12);
  for (std::size_t t = 6; t < table.tasks.size(); ++t) {
    table.tasks[t].statistic_names = {"size"};
    table.tasks[t].statistics = {static_cast<double>(t)};
  }
  WarmUpOptions options = quick();
  options.iterations = 1;
  for (options.seed = 0; options.seed < 6; ++options.seed) {  // tasks are shuffled
    EXPECT_EQ(warm_up(table, options, 1).number_names(), std::vector<std::string>{"size"}) << options.seed;
  }
}

TEST(WarmUp, NeedsATaskToValidateOn) {
  EXPECT_NE(message_of([] { warm_up_length(two_kinds(1), quick()); }).find("two tasks"), std::string::npos);
}

// What warm_up_ranker() calls the same is the same, to the last byte.
TEST(WarmUp, IsSharedByRankersThatDifferLater) {
  const LookupTable table = two_kinds(12);
  WarmUpOptions options = quick();
  const auto bytes_with = [&](const std::map<std::string, std::string>& values) {
    options.ranker = parse_ranker_options(values);
    return warm_up(table, options, 2).serialize();
  };
  const auto key_with = [](const std::map<std::string, std::string>& values) {
    return ranker_option_values(warm_up_ranker(parse_ranker_options(values)));
  };
  const std::string bytes = bytes_with({});
  const std::map<std::string, std::string> later = {
      {"effects", "off"},      {"network_share", "1"}, {"z", "sgd"},        {"z_steps", "3"},
      {"z_rate", "0.1"},       {"z_interval", "1"},    {"si", "0"},         {"iterations", "0"},
      {"extractor", "frozen"}, {"offline_share", "0"}, {"past_share", "0"}, {"current_share", "2"},
      {"fit_results", "9"},    {"rate", "0.5"}};
  EXPECT_EQ(bytes_with(later), bytes);
  EXPECT_EQ(key_with(later), key_with({}));
  const std::vector<std::pair<std::string, std::string>> now = {{"loss", "mse"},
                                                                {"hidden", "8"},
                                                                {"dropout", "0.1"},
                                                                {"images", "off"},
                                                                {"numbers", "off"},
                                                                {"triplet", "0"},
                                                                {"attention", "off"},
                                                                {"deviations", "off"},
                                                                {"relevance_scale", "20"},
                                                                {"rank_by", "label"},
                                                                {"batch", "2"},
                                                                {"batch_results", "8"},
                                                                {"image_penalty", "1"},
                                                                {"warm_up_rate", "0.1"},
                                                                {"margin", "1"},
                                                                {"warm_up", "0"},
                                                                {"weight_decay", "1"},
                                                                {"deviation_penalty", "1"},
                                                                {"relevance_quantile", "0"}};
  for (const auto& [name, value] : now) EXPECT_NE(key_with({{name, value}}), key_with({})) << name;
  EXPECT_EQ(later.size() + now.size(), ranker_option_names().size());
}

TEST(Bundle, AStoreThatStartsFromItKnowsTheOfflineTasks) {
  const TemporaryFolder folder;
  const LookupTable table = two_kinds(12);
  write_bundle(*open_store(folder.file("bundle.sqlite")), table, warm_up(table, quick(), 2), 100);

  const auto store = open_store(folder.file("bundle.sqlite"));
  EXPECT_EQ(store->experience(table.space.signature()).size(), 12u * 8);
  EXPECT_EQ(store->offline_features(table.space.signature()).size(), 12u);
  std::vector<TaskRole> roles;
  Platform platform(
      *store, [] {},
      [&](const LearningJob& job) {
        for (const auto& [id, task] : job.tasks) {
          if (task.client) roles.push_back(task.role);
        }
        return learn_ranker(job);
      });
  RunStart start;
  start.run = "run";
  start.space = table.space.definition().dump();
  start.policy = "hyperfd";
  {
    StoreTransaction transaction(*store);
    EXPECT_EQ(platform.begin_run("new", start).past_tasks, 12);
    EXPECT_EQ(platform.suggest("new", "run", {0}).size(), 1u);
    platform.import_results("new", "run", {{R"({"x": 1})", "0.1"}, {R"({"x": 8})", "0.9"}});
    platform.end_run("new", "run");
    transaction.commit();
  }
  platform.start_due_updates();
  ASSERT_TRUE(platform.is_learning());
  while (platform.is_learning()) platform.commit_learned();
  EXPECT_EQ(roles, std::vector<TaskRole>(12, TaskRole::kOffline));
  EXPECT_EQ(store->latest_ranker(table.space.signature())->version, 2);
}

}  // namespace
}  // namespace hyperfd
