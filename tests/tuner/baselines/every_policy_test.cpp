// What holds for every rival.
#include <set>
#include <thread>

#include <gtest/gtest.h>

#include "tests/tuner/baselines/past.h"

namespace hyperfd {
namespace {

class EveryRival : public ::testing::TestWithParam<std::string> {
 protected:
  std::unique_ptr<SelectionPolicy> policy_ = make_policy(GetParam());
};

std::vector<std::string> rivals() {
  std::vector<std::string> names;
  for (const std::string& name : policy_names()) {
    if (name != "hyperfd") names.push_back(name);
  }
  return names;
}

// Something with a preference: adam, and the higher the learning rate and the threshold the better.
double preference(const Configuration& c) {
  return (c["optimizer"] == "adam" ? 0.3 : 0.0) + 50 * c["learning_rate"].get<double>() +
         0.5 * c["iou_threshold"].get<double>();
}

std::vector<ScoredConfiguration> some_results(const SearchSpace& space, int count, Rng& rng) {
  std::vector<ScoredConfiguration> results;
  for (int i = 0; i < count; ++i) {
    const Configuration c = space.sample(rng);
    results.push_back({c, preference(c)});
  }
  return results;
}

// Tasks as they come from clients: of different lengths, one without a difference, some without statistics.
PastExperience messy_past(const SearchSpace& space) {
  Rng rng(3);
  PastBuilder past(space);
  past.add(some_results(space, 40, rng), {1, 5}).add(some_results(space, 1, rng), {2, 5});
  past.add(some_results(space, 4, rng)).add({{space.sample(rng), 0.5}, {space.sample(rng), 0.5}}, {3, 5});
  past.add(some_results(space, 7, rng), {1, 2, 3}).add({});
  return past.build();
}

TEST_P(EveryRival, IsRandomWithoutExperience) {
  const SearchSpace space = grid_space();
  Rng expected_rng(1), rng(1);
  const auto expected = make_policy("random")->suggest({space, {}, {}, nullptr}, 4, expected_rng);
  EXPECT_EQ(policy_->suggest({space, {}, {}, nullptr}, 4, rng), expected);
}

TEST_P(EveryRival, GivesEveryConfigurationOfASmallSpaceOnce) {
  const SearchSpace space = grid_space();
  const PastExperience past = messy_past(space);
  Rng rng(2);
  std::vector<ScoredConfiguration> results;
  ConfigurationKeys taken;
  for (const std::size_t count : {1u, 1u, 3u, 50u, 100u, 100u}) {
    const auto suggestions = policy_->suggest({space, results, taken, nullptr, past}, count, rng);
    EXPECT_EQ(suggestions.size(), std::min(count, 216 - taken.size()));
    for (const Configuration& suggestion : suggestions) {
      space.check(suggestion);
      EXPECT_TRUE(taken.insert(configuration_key(suggestion))) << suggestion;
      if (taken.size() % 3 > 0) results.push_back({suggestion, preference(suggestion)});  // others are still running
    }
  }
  EXPECT_TRUE(policy_->suggest({space, results, taken, nullptr, past}, 1, rng).empty());
}

TEST_P(EveryRival, KeepsToAPartOfTheSpace) {
  const SearchSpace space = grid_space();
  const PastExperience past = messy_past(space);
  const SearchSpace part = space.only({space.at(3), space.at(100), space.at(215)});
  Rng rng(4);
  const auto suggestions = policy_->suggest({part, {}, {}, nullptr, past}, 10, rng);
  std::set<Configuration> distinct(suggestions.begin(), suggestions.end());
  EXPECT_EQ(distinct, (std::set<Configuration>{space.at(3), space.at(100), space.at(215)}));
}

TEST_P(EveryRival, WorksOnAnInfiniteSpace) {
  const auto space = SearchSpace::parse(parse_json(
      R"({"lr": {"_type": "loguniform", "_value": [0.0001, 0.1]}, "n": {"_type": "randint", "_value": [0, 5]}})",
      "space"));
  Rng rng(5);
  PastBuilder builder(space);
  for (int t = 0; t < 3; ++t) {
    std::vector<ScoredConfiguration> results;
    for (int i = 0; i < 6; ++i) {
      const Configuration c = space.sample(rng);
      results.push_back({c, c["lr"].get<double>()});
    }
    builder.add(results);
  }
  const PastExperience past = builder.build();
  const auto suggestions =
      ask_one_by_one(*policy_, space, past, 12, 6, [](const Configuration& c) { return c["lr"].get<double>(); });
  EXPECT_EQ(suggestions.size(), 12u);
  for (const Configuration& suggestion : suggestions) space.check(suggestion);
}

TEST_P(EveryRival, GoesOnWhereHardlyAnythingIsFeasible) {
  const auto space = SearchSpace::parse(parse_json(
      R"({"x": {"_type": "uniform", "_value": [0, 1]}, "n": {"_type": "randint", "_value": [0, 5]}})", "space"));
  const Annotation annotation = Annotation::parse(
      parse_json(R"({"constraints": {"linear": [{"sum": {"x": 1}, "max": 0.0001}]}})", "annotation"), space);
  Rng past_rng(9);
  PastBuilder builder(space);
  for (int t = 0; t < 3; ++t) {
    std::vector<ScoredConfiguration> results;
    for (int i = 0; i < 6; ++i) {
      const Configuration c = space.sample(past_rng);
      results.push_back({c, c["n"].get<double>()});
    }
    builder.add(results);
  }
  const PastExperience past = builder.build();
  std::vector<ScoredConfiguration> results;
  ConfigurationKeys taken;
  for (std::uint64_t seed = 0; seed < 8; ++seed) {
    Rng rng(seed);
    const TaskView view{space, results, taken, nullptr, past, TaskView::no_statistics(), annotation};
    const auto next = policy_->suggest(view, 1, rng);
    ASSERT_EQ(next.size(), 1u) << seed;
    annotation.check(next[0]);
    EXPECT_TRUE(taken.insert(configuration_key(next[0])));
    results.push_back({next[0], next[0]["n"].get<double>()});
  }
}

TEST_P(EveryRival, AnswersTheSameFromSeveralThreads) {
  const SearchSpace space = grid_space();
  const auto ask = [&](const PastExperience& past) {
    return ask_one_by_one(*policy_, space, past, 4, 7, preference, {1, 5});
  };
  const auto expected = ask(messy_past(space));
  const PastExperience shared = messy_past(space);
  std::vector<std::vector<Configuration>> answers(3);
  std::vector<std::thread> threads;
  for (auto& answer : answers) threads.emplace_back([&] { answer = ask(shared); });
  for (std::thread& thread : threads) thread.join();
  for (const auto& answer : answers) EXPECT_EQ(answer, expected);
}

TEST_P(EveryRival, GainsFromTasksThatAgree) {
  // Random search learns nothing, and some policies learn through a model that is not here.
  if (GetParam() == "random" || policy_->ranker_options()) return;
  const SearchSpace space = grid_space();
  Rng rng(8);
  PastBuilder builder(space);
  for (int t = 0; t < 4; ++t) builder.add(some_results(space, 60, rng), {1.0 * t});
  const PastExperience past = builder.build();
  double regret = 0;
  for (std::uint64_t seed = 0; seed < 5; ++seed) {
    double best = 0;
    for (const Configuration& c : ask_one_by_one(*policy_, space, past, 4, seed, preference, {1.5})) {
      best = std::max(best, preference(c));
    }
    regret += (0.75 - best) / 5;
  }
  // Random search has 0.10 on average.
  EXPECT_LE(regret, 0.05);
}

INSTANTIATE_TEST_SUITE_P(All, EveryRival, ::testing::ValuesIn(rivals()), [](const auto& rival) { return rival.param; });

}  // namespace
}  // namespace hyperfd
