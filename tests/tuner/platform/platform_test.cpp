#include "tuner/platform/platform.h"

#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tuner/platform/sqlite_store.h"

namespace hyperfd {
namespace {

using ::testing::HasSubstr;

constexpr char kNine[] = R"({"x":{"_type":"choice","_value":[1,2,3]},"y":{"_type":"choice","_value":["a","b","c"]}})";
constexpr char kWide[] = R"({"x":{"_type":"uniform","_value":[0,1]}})";

class PlatformTest : public ::testing::Test {
 protected:
  RunInfo begin(const std::string& experiment, const std::string& run, const std::string& space = kNine,
                OptimizeMode mode = OptimizeMode::kMaximize, std::int64_t seed = 1) {
    return platform_->begin_run(experiment, {run, space, mode, 0, "random", seed});
  }
  std::vector<std::string> suggest(const std::string& experiment, const std::string& run,
                                   std::vector<std::int64_t> ids) {
    std::vector<std::string> parameters;
    for (const Suggestion& one : platform_->suggest(experiment, run, ids)) parameters.push_back(one.parameters);
    return parameters;
  }
  Effect report(const std::string& run, std::optional<std::int64_t> id, const std::string& value,
                const std::string& parameters = "", const std::string& job = "") {
    return platform_->add_metric("e", run, {id, job, MetricKind::kFinal, 0, value, parameters});
  }
  ExperimentSummary summary() { return store_->experiments().at(0); }
  void restart() {
    platform_ = std::make_unique<Platform>(*store_, [] {});
  }

  std::string error_of(const std::function<void()>& action) {
    try {
      action();
    } catch (const InputError& error) {
      return error.what();
    }
    return "";
  }

  std::unique_ptr<ExperienceStore> store_ = open_store(":memory:");
  std::unique_ptr<Platform> platform_ = std::make_unique<Platform>(*store_, [] {});
};

TEST_F(PlatformTest, NoConfigurationTwiceUntilTheSpaceIsExhausted) {
  begin("e", "r1");
  std::set<std::string> seen;
  for (const std::string& one : suggest("e", "r1", {0, 1, 2, 3})) seen.insert(one);
  platform_->adopt("e", "r1", {{7, R"({"x":1,"y":"a"})"}});
  seen.insert(R"({"x":1,"y":"a"})");
  platform_->import_results("e", "r1", {{R"({"x":2,"y":"b"})", "0.5"}});
  seen.insert(R"({"x":2,"y":"b"})");
  const std::size_t known = seen.size();
  const auto rest = suggest("e", "r1", {10, 11, 12, 13, 14, 15, 16, 17, 18, 19});
  EXPECT_EQ(rest.size(), 9 - known) << "fewer than asked: the space has no more";
  for (const std::string& one : rest) EXPECT_TRUE(seen.insert(one).second) << one;
  EXPECT_TRUE(suggest("e", "r1", {20}).empty());
}

TEST_F(PlatformTest, WhatAnEarlierRunNeverTriedComesAgainWhenTheSpaceHasNoMore) {
  begin("e", "r1");
  const auto first = suggest("e", "r1", {0, 1, 2, 3, 4});
  platform_->add_metric("e", "r1", {0, "", MetricKind::kFinal, 0, "0.5", ""});
  platform_->end_trial("e", "r1", 1, "", TrialOutcome::kUserCanceled);
  begin("e", "r2");
  platform_->adopt("e", "r2", {{0, first[2]}});  // was running, runs again

  const auto rest = suggest("e", "r2", {1, 2, 3, 4, 5, 6, 7, 8});
  ASSERT_EQ(rest.size(), 9 - 5 + 2) << "the four that are left, then the two abandoned ones";
  EXPECT_EQ(std::set<std::string>(rest.begin() + 4, rest.end()), (std::set<std::string>{first[3], first[4]}));
  restart();
  EXPECT_EQ(suggest("e", "r2", {1, 2, 3, 4, 5, 6, 7, 8}), rest);
  EXPECT_TRUE(suggest("e", "r2", {9}).empty());
}

TEST_F(PlatformTest, AnIdKeepsItsConfigurationAcrossRestarts) {
  begin("e", "r");
  const auto first = suggest("e", "r", {0, 1});
  EXPECT_EQ(suggest("e", "r", {1, 0}), (std::vector<std::string>{first[1], first[0]}));
  restart();
  EXPECT_EQ(suggest("e", "r", {0, 1}), first);
  begin("e", "another run");
  EXPECT_NE(suggest("e", "another run", {0}), std::vector<std::string>{first[0]}) << "ids count within a run";
}

TEST_F(PlatformTest, SuggestionsComeFromSeedAndStoreAlone) {
  const auto suggestions = [&](bool restarting) {
    store_ = open_store(":memory:");
    restart();
    begin("e", "r", kWide);
    std::vector<std::string> all;
    for (int id = 0; id < 6; ++id) {
      if (restarting) restart();
      all.push_back(suggest("e", "r", {id}).at(0));
    }
    return all;
  };
  EXPECT_EQ(suggestions(false), suggestions(true));
}

TEST_F(PlatformTest, HyperFdsSuggestionsComeFromSeedAndStoreAlone) {
  const auto suggestions = [&](bool restarting) {
    store_ = open_store(":memory:");
    restart();
    platform_->begin_run("e", {"r", kWide, OptimizeMode::kMaximize, 0, "hyperfd", 1});
    std::vector<std::string> all;
    for (int id = 0; id < 12; ++id) {  // five random ones, then by what came of them
      if (restarting) restart();
      all.push_back(suggest("e", "r", {id}).at(0));
      report("r", id, std::to_string(std::hash<std::string>()(all.back()) % 100));
    }
    return all;
  };
  EXPECT_EQ(suggestions(false), suggestions(true));
}

TEST_F(PlatformTest, AResultCountsOnce) {
  begin("e", "r");
  suggest("e", "r", {0});
  EXPECT_EQ(report("r", 0, "0.5").counted, 1);
  EXPECT_EQ(report("r", 0, "0.7").counted, 0);
  restart();
  EXPECT_EQ(report("r", 0, "0.9").counted, 0);
  EXPECT_EQ(summary().results, 1);
  EXPECT_EQ(summary().best, 0.5);
}

TEST_F(PlatformTest, ResultOfAnIdThatWasNeverGivenOutNeedsParameters) {
  begin("e", "r");
  EXPECT_THAT(error_of([&] { report("r", 4, "0.5"); }), HasSubstr("parameter_id: 4 has no configuration"));
  EXPECT_EQ(report("r", 4, "0.5", R"({"x":1,"y":"a"})").counted, 1);
  EXPECT_EQ(platform_->suggest("e", "r", {4})[0].source, ConfigurationSource::kFallback);
}

TEST_F(PlatformTest, ResultUnderAnotherConfigurationBelongsToThatOne) {
  begin("e", "r");
  const std::string given = suggest("e", "r", {0})[0];
  const std::string ran = given == R"({"x":1,"y":"a"})" ? R"({"x":2,"y":"a"})" : R"({"x":1,"y":"a"})";
  EXPECT_THAT(error_of([&] { report("r", 0, "0.9", ran); }), HasSubstr("trial_job_id"));
  const Effect effect = report("r", 0, "0.9", ran, "job");
  EXPECT_EQ(effect.counted, 1);
  EXPECT_THAT(effect.warning, HasSubstr("stands for another configuration"));
  EXPECT_EQ(report("r", 0, "0.9", ran, "job").counted, 0);
  EXPECT_EQ(suggest("e", "r", {0})[0], given);
  EXPECT_EQ(summary().best_parameters, ran);
  EXPECT_EQ(report("r", 0, "0.1", given).counted, 1);
}

TEST_F(PlatformTest, CustomizedTrialsAreToldApartByTheirJob) {
  begin("e", "r");
  EXPECT_THAT(error_of([&] { report("r", std::nullopt, "1", R"({"x":1,"y":"a"})"); }), HasSubstr("trial_job_id"));
  EXPECT_THAT(error_of([&] { report("r", std::nullopt, "1", "", "job"); }), HasSubstr("parameters"));
  EXPECT_EQ(report("r", std::nullopt, "1", R"({"x":1,"y":"a"})", "job").counted, 1);
  EXPECT_EQ(report("r", std::nullopt, "1", R"({"x":1,"y":"a"})", "job").counted, 0);
  EXPECT_EQ(report("r", std::nullopt, "2", R"({"x":2,"y":"a"})", "other").counted, 1);
}

TEST_F(PlatformTest, ImportedResultsAreNotCountedTwice) {
  begin("e", "r");
  const auto given = suggest("e", "r", {0, 1});
  report("r", 0, "0.5");
  const std::vector<ImportedResult> results = {{given[0], "0.6"}, {given[1], "0.7"}, {R"({"y":"a","x":3})", "0.1"}};
  const bool third_is_new = given[0] != R"({"x":3,"y":"a"})" && given[1] != R"({"x":3,"y":"a"})";
  EXPECT_EQ(platform_->import_results("e", "r", results).counted, third_is_new ? 2 : 1);
  EXPECT_EQ(platform_->import_results("e", "r", results).counted, 0);
  EXPECT_EQ(report("r", 1, "0.7").counted, 0) << "the import brought this result already";
}

TEST_F(PlatformTest, RepeatedResultsAllCountWhereTheyAreToldTo) {
  begin("e", "r");
  const std::string given = suggest("e", "r", {0})[0],
                    other = given == R"({"x":3,"y":"a"})" ? R"({"x":2,"y":"a"})" : R"({"x":3,"y":"a"})";
  const std::vector<ImportedResult> results = {
      {given, "0.1"}, {given, "0.30000000000000004"}, {other, "{\"default\":1}"}, {other, "1.0"}, {other, "NaN"},
      {other, "0.5"}};
  const auto add = [&] { return platform_->import_results("e", "r", results, RepeatedResults::kAllCount).counted; };
  EXPECT_EQ(add(), 5) << "1.0 is 1";
  EXPECT_EQ(report("r", 0, "0.7").counted, 0) << "the first result is that of the trial";
  EXPECT_EQ(add(), 0);
  restart();
  EXPECT_EQ(add(), 0);
  EXPECT_EQ(platform_->import_results("e", "r", {{given, "0.9"}}).counted, 0);
  EXPECT_EQ(summary().results, 5);
  EXPECT_EQ(begin("e", "r2").results, 4);

  // Two rows of a configuration are one: it is tried already, and may be adopted.
  EXPECT_EQ(suggest("e", "r2", {0, 1, 2, 3, 4, 5, 6, 7, 8}).size(), 7u);
  EXPECT_EQ(platform_->adopt("e", "r2", {{20, given}}).counted, 1);
  EXPECT_EQ(platform_->add_metric("e", "r2", {20, "", MetricKind::kFinal, 0, "0.1", ""}).counted, 1);
}

TEST_F(PlatformTest, PoliciesReadSeveralResultsOfOneConfiguration) {
  platform_->begin_run("old", {"r", kNine, OptimizeMode::kMaximize, 0, "hyperfd", 1});
  std::vector<ImportedResult> results;
  for (int i = 0; i < 8; ++i) results.push_back({R"({"x":1,"y":"a"})", std::to_string(2 * i)});
  results.push_back({R"({"x":2,"y":"b"})", "9"});
  EXPECT_EQ(platform_->import_results("old", "r", results, RepeatedResults::kAllCount).counted, 9);
  EXPECT_EQ(suggest("old", "r", {0, 1}).size(), 2u);
  EXPECT_EQ(store_->count_results(store_->experiments().at(0).signature), 9);
  platform_->begin_run("new", {"r", kNine, OptimizeMode::kMaximize, 0, "average_rank", 1});
  EXPECT_EQ(suggest("new", "r", {0}).at(0), R"({"x":2,"y":"b"})") << "better than the mean of the other";
}

TEST_F(PlatformTest, WhatIsNoPointOfTheSpaceIsStoredButNotRankedBy) {
  begin("e", "r");
  const Effect effect = report("r", std::nullopt, "0.9", R"({"x":99,"y":"a"})", "job");
  EXPECT_EQ(effect.counted, 1);
  EXPECT_THAT(effect.warning, HasSubstr("not a point of the search space (x: "));
  EXPECT_EQ(report("r", std::nullopt, "NaN", R"({"x":1,"y":"a"})", "job2").counted, 1);
  EXPECT_EQ(summary().results, 2);
  EXPECT_FALSE(summary().best);
  EXPECT_EQ(store_->count_results(store_->experiments()[0].signature), 0);
}

TEST_F(PlatformTest, FailedTrialsAreRecordedAndNotRankedBy) {
  begin("e", "r");
  suggest("e", "r", {0, 1});
  report("r", 0, "0.9");
  report("r", 1, "0.5");
  EXPECT_EQ(platform_->end_trial("e", "r", 0, "", TrialOutcome::kFailed).counted, 1);
  EXPECT_EQ(platform_->end_trial("e", "r", 0, "", TrialOutcome::kSucceeded).counted, 0);
  EXPECT_EQ(platform_->end_trial("e", "r", 1, "", TrialOutcome::kUserCanceled).counted, 1);
  EXPECT_EQ(summary().failed, 1);
  EXPECT_EQ(summary().best, 0.5);
  EXPECT_EQ(begin("e", "r").results, 1);
}

TEST_F(PlatformTest, EndOfATrialMayComeBeforeItsConfigurationIsKnown) {
  begin("e", "r");
  platform_->end_trial("e", "r", 5, "", TrialOutcome::kFailed);
  report("r", 5, "0.9", R"({"x":1,"y":"a"})");
  EXPECT_EQ(begin("e", "r").results, 0);
}

TEST_F(PlatformTest, MinimisedExperimentsHaveTheirBestBelow) {
  begin("e", "r", kWide, OptimizeMode::kMinimize);
  suggest("e", "r", {0, 1});
  report("r", 0, "0.9");
  report("r", 1, "0.2");
  EXPECT_EQ(summary().best, 0.2);
}

TEST_F(PlatformTest, PastTasksAreThoseWithResultsOnTheSameSpace) {
  EXPECT_EQ(begin("e", "r").past_tasks, 0);
  suggest("e", "r", {0});
  report("r", 0, "0.5");
  const RunInfo same =
      begin("f", "r", R"({"y":{"_type":"choice","_value":["a","b","c"]},"x":{"_type":"choice","_value":[1,2,3]}})");
  EXPECT_EQ(same.past_tasks, 1) << "the order of keys is no difference";
  EXPECT_FALSE(same.resumed);
  EXPECT_EQ(begin("g", "r", kWide).past_tasks, 0);
  const RunInfo again = begin("e", "r2");
  EXPECT_TRUE(again.resumed);
  EXPECT_EQ(again.results, 1);
  EXPECT_EQ(again.past_tasks, 0) << "an experiment is not its own past";
}

TEST_F(PlatformTest, ChangedSpaceHoldsFromNowOn) {
  begin("e", "r", R"({"x":{"_type":"choice","_value":[1,2]}})");
  suggest("e", "r", {0, 1});
  EXPECT_TRUE(suggest("e", "r", {2}).empty());
  platform_->change_space("e", "r", R"({"x":{"_type":"choice","_value":[1,2,3]}})");
  EXPECT_EQ(suggest("e", "r", {2}), std::vector<std::string>{R"({"x":3})"});
  restart();
  EXPECT_TRUE(suggest("e", "r", {3}).empty());
}

TEST_F(PlatformTest, AdoptedIdsKeepTheirConfiguration) {
  begin("e", "r");
  EXPECT_EQ(platform_->adopt("e", "r", {{3, R"({"x":1,"y":"a"})"}}).counted, 1);
  EXPECT_EQ(platform_->adopt("e", "r", {{3, R"({"y":"a","x":1.0})"}}).counted, 0);
  EXPECT_THAT(error_of([&] {
                platform_->adopt("e", "r", {{3, R"({"x":2,"y":"a"})"}});
              }),
              HasSubstr("records[0].parameter_id: 3 already stands for"));
  EXPECT_EQ(platform_->suggest("e", "r", {3})[0].source, ConfigurationSource::kCustomized);
}

TEST_F(PlatformTest, BadInputIsNamed) {
  begin("e", "r");
  EXPECT_THAT(error_of([&] { suggest("e", "r", {-1}); }), HasSubstr("parameter_ids: expected 0 or more, got -1"));
  EXPECT_THAT(error_of([&] { suggest("e", "r", std::vector<std::int64_t>(1001)); }), HasSubstr("1 to 1000 ids"));
  EXPECT_THAT(error_of([&] { begin("f", "r", "{"); }), HasSubstr("space: "));
  EXPECT_THAT(error_of([&] { begin("f", "", kNine); }), HasSubstr("run: expected 1 to 128 bytes"));
  EXPECT_THAT(error_of([&] {
                platform_->import_results("e", "r", {{"[1]", "1"}});
              }),
              HasSubstr("records[0].parameters: expected an object, got [1]"));
  EXPECT_THAT(error_of([&] { suggest("nobody", "r", {0}); }), HasSubstr("send IN first"));
}

// At most x = 2 where y is "a".
constexpr char kNarrow[] = R"({"constraints":{"table":[{"name":"t","forbidden":[{"y":"a","x":3}]}]}})";

TEST_F(PlatformTest, ConstraintsHoldForSuggestionsAndSurviveRestarts) {
  RunStart start{"r", kNine, OptimizeMode::kMaximize, 0, "random", 1};
  const std::string signature = platform_->begin_run("plain", start).signature;
  start.annotation = kNarrow;
  EXPECT_EQ(platform_->begin_run("e", start).signature, signature) << "experience is shared whatever the constraints";
  restart();
  const auto all = suggest("e", "r", {0, 1, 2, 3, 4, 5, 6, 7, 8});
  EXPECT_EQ(all.size(), 8u);
  for (const std::string& one : all) EXPECT_NE(one, R"({"x":3,"y":"a"})");
  EXPECT_EQ(suggest("plain", "r", {0, 1, 2, 3, 4, 5, 6, 7, 8}).size(), 9u);

  const Effect effect = report("r", std::nullopt, "0.5", R"({"x":3,"y":"a"})", "job");
  EXPECT_EQ(effect.counted, 1);
  EXPECT_THAT(effect.warning, HasSubstr("parameters: would not be suggested (constraint t: "));
  EXPECT_EQ(store_->count_results(signature), 1) << "a violation is no reason not to learn";

  start.run = "r2";
  start.annotation = "";
  platform_->begin_run("e", start);
  EXPECT_EQ(suggest("e", "r2", {0}).size(), 1u) << "the annotation is the latest run's";
}

TEST_F(PlatformTest, AnnotationsThatDoNotFitAreRefused) {
  RunStart start{"r", kNine, OptimizeMode::kMaximize, 0, "random", 1};
  start.annotation = R"({"constraints":{"table":[{"forbidden":[{"z":3}]}]}})";
  EXPECT_THAT(error_of([&] { platform_->begin_run("e", start); }), HasSubstr("key of the search space \"z\""));
  start.annotation = R"({"constraints":{"linear":[{"name":"l","sum":{"x":1},"max":0}]}})";
  EXPECT_THAT(error_of([&] { platform_->begin_run("e", start); }), HasSubstr("constraint l turned away"));
  EXPECT_FALSE(store_->find_experiment("e"));
  start.annotation = kNarrow;
  platform_->begin_run("e", start);
  EXPECT_THAT(error_of([&] { platform_->change_space("e", "r", R"({"x":{"_type":"randint","_value":[0,9]}})"); }),
              HasSubstr("key of the search space \"y\""));
  EXPECT_EQ(suggest("e", "r", {0, 1, 2, 3, 4, 5, 6, 7, 8}).size(), 8u) << "nothing was changed";
}

TEST_F(PlatformTest, AQuantisedNumberIsTheSameHoweverItIsWritten) {
  const char space[] = R"({"p":{"_type":"quniform","_value":[0,0.3,0.1]}})";
  platform_->begin_run("q", {"r", space, OptimizeMode::kMaximize, 0, "random", 1});
  platform_->import_results("q", "r", {{R"({"p": 0.3})", "1"}, {R"({"p": 0.30000000000000004})", "1"}});
  const auto left = platform_->suggest("q", "r", {0, 1, 2, 3});
  ASSERT_EQ(left.size(), 3u);
  for (const Suggestion& suggestion : left) EXPECT_LT(parse_json(suggestion.parameters, "")["p"].get<double>(), 0.25);
}

}  // namespace
}  // namespace hyperfd
