#include "tuner/bench/collection.h"

#include <csignal>
#include <filesystem>
#include <fstream>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include "tests/message_of.h"
#include "tests/tuner/temporary_folder.h"
#include "tuner/base/error.h"
#include "tuner/base/files.h"

namespace hyperfd {
namespace {

using testing::HasSubstr;

SearchSpace small_space() {
  return SearchSpace::parse(parse_json(R"({"x": {"_type": "choice", "_value": [1, 2, 3]},
                                           "y": {"_type": "choice", "_value": ["a", "b"]}})",
                                       "space"));
}

CollectionPlan plan_of(std::vector<std::string> data, std::int64_t configurations) {
  CollectionPlan plan;
  plan.data = std::move(data);
  plan.configurations = configurations;
  return plan;
}

std::set<std::string> configurations_of(const std::vector<CollectionJob>& jobs, const std::string& task) {
  std::set<std::string> found;
  for (const CollectionJob& job : jobs) {
    if (job.task == task) found.insert(job.configuration.dump());
  }
  return found;
}

TEST(CollectionJobs, EveryDataSetGetsTheSameDistinctConfigurations) {
  const auto jobs = jobs_of(plan_of({"faces/mask", "faces/anime/"}, 4), small_space());
  EXPECT_EQ(jobs.size(), 8u);
  EXPECT_EQ(jobs[0].configuration, jobs[1].configuration) << "configuration by configuration";
  EXPECT_EQ(configurations_of(jobs, "mask").size(), 4u);
  EXPECT_EQ(configurations_of(jobs, "mask"), configurations_of(jobs, "anime"));
}

TEST(CollectionJobs, SpreadGivesEveryDataSetConfigurationsOfItsOwn) {
  CollectionPlan plan = plan_of({"mask", "anime"}, 3);
  plan.spread = true;
  const auto jobs = jobs_of(plan, small_space());
  EXPECT_NE(configurations_of(jobs, "mask"), configurations_of(jobs, "anime"));
}

TEST(CollectionJobs, APlanForMoreBeginsWithThatForFewer) {
  const SearchSpace wide = SearchSpace::parse(parse_json(R"({"x": {"_type": "uniform", "_value": [0, 1]}})", "space"));
  for (const SearchSpace& space : {std::cref(wide)}) {
    const auto few = jobs_of(plan_of({"mask"}, 3), space), more = jobs_of(plan_of({"mask"}, 5), space);
    for (std::size_t i = 0; i < few.size(); ++i) EXPECT_EQ(few[i].configuration, more[i].configuration);
  }
  const auto few = jobs_of(plan_of({"mask"}, 3), small_space()), more = jobs_of(plan_of({"mask"}, 5), small_space());
  for (std::size_t i = 0; i < few.size(); ++i) EXPECT_EQ(few[i].configuration, more[i].configuration);
}

TEST(CollectionJobs, ComplainsAboutPlansThatCannotBe) {
  EXPECT_EQ(message_of([] {
              jobs_of(plan_of({"a/mask", "b/mask"}, 2), small_space());
            }),
            "data: two folders are named \"mask\"");
  EXPECT_EQ(message_of([] { jobs_of(plan_of({"mask"}, 7), small_space()); }),
            "configurations: 7 asked for, the search space has 6");
}

TEST(CollectionJobs, SatisfyTheConstraintsOfTheAnnotation) {
  const auto check = [](const std::string& space_text, std::int64_t count) {
    const SearchSpace space = SearchSpace::parse(parse_json(space_text, "space"));
    const Annotation annotation = Annotation::parse(
        parse_json(R"({"constraints": {"linear": [{"name": "sum", "sum": {"x": 1, "y": 1}, "max": 3}]}})",
                   "annotation"),
        space);
    const auto jobs = jobs_of(plan_of({"mask"}, count), space, annotation);
    EXPECT_EQ(configurations_of(jobs, "mask").size(), static_cast<std::size_t>(count));
    for (const CollectionJob& job : jobs) {
      EXPECT_LE(job.configuration["x"].get<double>() + job.configuration["y"].get<double>(), 3) << job.configuration;
    }
  };
  const std::string finite = R"({"x": {"_type": "choice", "_value": [1, 2, 3]},
                                 "y": {"_type": "choice", "_value": [1, 2, 3]}})";
  check(finite, 3);
  check(R"({"x": {"_type": "uniform", "_value": [0, 3]}, "y": {"_type": "uniform", "_value": [0, 3]}})", 20);
  EXPECT_EQ(message_of([&] { check(finite, 4); }),
            "configurations: 4 asked for, 3 satisfy the search space's constraints");
}

class CollectionFolderTest : public testing::Test {
 protected:
  Json line(const CollectionJob& job) const {
    return {{"configuration", job.configuration}, {"seed", job.seed}, {"trial", trial_}};
  }

  TemporaryFolder temporary_;
  const std::vector<std::string> trial_ = {"--recipe", "mini"};
  const std::vector<CollectionJob> jobs_ = jobs_of(plan_of({"mask", "anime"}, 2), small_space());
  const CollectionFolder folder_{temporary_.file("table")};
};

TEST_F(CollectionFolderTest, GoesOnWhereItWas) {
  EXPECT_EQ(folder_.missing(jobs_, trial_).size(), 4u);
  folder_.append("mask", line(jobs_[0]));
  folder_.append("anime", line(jobs_[3]));
  const auto left = folder_.missing(jobs_, trial_);
  ASSERT_EQ(left.size(), 2u);
  EXPECT_EQ(left[0].task, "anime");
  EXPECT_EQ(left[1].task, "mask");
}

TEST_F(CollectionFolderTest, DropsALineThatWasCutOff) {
  folder_.append("mask", line(jobs_[0]));
  const std::string file = temporary_.file("table/mask.jsonl"), whole = read_file(file);
  std::ofstream(file, std::ios::app) << R"({"configuration": {"x)";
  EXPECT_EQ(folder_.missing(jobs_, trial_).size(), 3u);
  EXPECT_EQ(read_file(file), whole);
}

TEST_F(CollectionFolderTest, TakesBackWhatAFullDiskCutOff) {
  folder_.append("mask", line(jobs_[0]));
  const std::string file = temporary_.file("table/mask.jsonl"), whole = read_file(file);
  rlimit limit{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &limit), 0);
  const rlimit full{whole.size() + 5, limit.rlim_max};
  const auto handler = signal(SIGXFSZ, SIG_IGN);
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &full), 0);
  EXPECT_THROW(folder_.append("mask", line(jobs_[1])), Error);
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &limit), 0);
  signal(SIGXFSZ, handler);
  EXPECT_EQ(read_file(file), whole);
}

TEST_F(CollectionFolderTest, RefusesToMixTrials) {
  folder_.append("mask", line(jobs_[0]));
  EXPECT_THAT(
      message_of([&] {
        folder_.missing(jobs_, {"--recipe", "paper"});
      }),
      HasSubstr("mask.jsonl:1: trial: collected with [\"--recipe\",\"mini\"], not with [\"--recipe\",\"paper\"]"));
}

TEST_F(CollectionFolderTest, NamesTheLineThatIsMalformed) {
  folder_.append("mask", line(jobs_[0]));
  folder_.append("mask", {{"configuration", 1}});
  EXPECT_THAT(message_of([&] { folder_.missing(jobs_, trial_); }),
              HasSubstr("mask.jsonl:2: expected an object with configuration and seed"));
}

class RunTrialTest : public testing::Test {
 protected:
  // A program that gets the arguments of `hyperfd-trial train`; $out, $params are theirs.
  std::string program(const std::string& script) const {
    const std::string file = temporary_.file("trial.sh");
    std::ofstream(file) << "#!/bin/sh\nwhile [ $# -gt 0 ]; do case $1 in --out) out=$2;; --params) params=$2;; "
                           "--seed) seed=$2;; esac; shift; done\nmkdir -p \"$out\"\n"
                        << script;
    std::filesystem::permissions(file, std::filesystem::perms::owner_all);
    return file;
  }

  TemporaryFolder temporary_;
  const CollectionJob job_{"mask", "faces/mask", {{"x", 2}}, 7};
};

constexpr const char* kResult =
    R"(echo '{"test_ap": 0.5, "validation_ap": 0.25, "validations": [], "ending": "completed", "version": "1"}')"
    R"( > "$out/result.json")";

TEST_F(RunTrialTest, RecordsWhatATrialFound) {
  const Json line =
      run_trial(program(std::string("[ \"$(cat $params)\" = '{\"x\":2}' ] && [ $seed = 7 ] && ") + kResult), job_,
                {"--recipe", "mini"}, 0, [] { return false; });
  EXPECT_EQ(line["task"], "mask");
  EXPECT_EQ(line["configuration"], job_.configuration);
  EXPECT_EQ(line["test"], 0.5);
  EXPECT_EQ(line["validation"], 0.25);
  EXPECT_EQ(line["seed"], 7);
  EXPECT_EQ(line["trial"], Json({"--recipe", "mini"}));
}

TEST_F(RunTrialTest, ATrialThatFailsIsNoResult) {
  try {
    run_trial(program("echo no images >&2; exit 2"), job_, {}, 0, [] { return false; });
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "mask: trial of {\"x\":2} failed (exit code 2): no images");
  }
}

TEST_F(RunTrialTest, StopsWhenAsked) {
  EXPECT_TRUE(run_trial(program("exec sleep 60"), job_, {}, 0, [] { return true; }).is_null());
}

}  // namespace
}  // namespace hyperfd
