#include "tuner/platform/candidates.h"

#include <algorithm>
#include <cmath>
#include <unordered_set>

#include <gtest/gtest.h>

#include "tests/message_of.h"
#include "tuner/platform/untaken.h"

namespace hyperfd {
namespace {

const std::string kNas = HYPERFD_SOURCE_DIR "/search_spaces/proxylessnas.yaml";

SearchSpace parse(const char* text) {
  return SearchSpace::parse(parse_json(text, "space"));
}
Annotation constrain(const SearchSpace& space, const char* text) {
  return Annotation::parse(Json{{"constraints", parse_json(text, "constraints")}}, space);
}

// A task that has no results; everything it refers to outlives it.
TaskView ask(const SearchSpace& space, const Annotation& annotation, const ConfigurationKeys& taken) {
  static const std::vector<ScoredConfiguration> no_results;
  return {space, no_results, taken, nullptr, PastExperience::none(), TaskView::no_statistics(), annotation};
}
TaskView ask(const SearchSpace& space, const Annotation& annotation) {
  static const ConfigurationKeys nothing_taken;
  return ask(space, annotation, nothing_taken);
}

TEST(Candidates, OfASmallSpaceAreAllThatIsFeasibleAndNotTaken) {
  const SearchSpace space = SearchSpace::load(HYPERFD_SOURCE_DIR "/search_spaces/hpo.yaml");
  const Annotation annotation =
      constrain(space, R"({"table": [{"forbidden": [{"optimizer": "sgd", "learning_rate": 0.0003}]}]})");
  const ConfigurationKeys taken = {configuration_key(space.at(215))};
  const TaskView task = ask(space, annotation, taken);
  Rng rng(1);
  std::vector<Configuration> candidates = make_candidates(task, 1, rng);
  EXPECT_EQ(candidates.size(), 216u - 36 - 1);
  std::vector<float> scores(candidates.size());
  improve_candidates(
      task, candidates, scores, [](const auto&) -> std::vector<float> { throw std::logic_error("nothing to improve"); },
      rng);
  EXPECT_EQ(candidates.size(), 216u - 36 - 1);
}

TEST(Candidates, OfALargeSpaceAre200FeasibleDraws) {
  const SearchSpace space = SearchSpace::load(kNas);
  Json definition = Annotation::load("", kNas, space).definition();
  definition["constraints"]["cost"]["multiply_adds"]["max"] = 350e6;
  const Annotation annotation = Annotation::parse(definition, space);
  Rng rng(2);
  const TaskView task = ask(space, annotation);
  const auto candidates = make_candidates(task, 1, rng);
  EXPECT_EQ(candidates.size(), 200u);
  ConfigurationKeys distinct;
  for (const Configuration& candidate : candidates) {
    EXPECT_LE(annotation.architecture()->cost(candidate).multiply_adds, 350'000'000);
    distinct.insert(configuration_key(candidate));
  }
  EXPECT_EQ(distinct.size(), 200u);
  EXPECT_EQ(make_candidates(task, 300, rng).size(), 300u);
}

// One draw in 8,000 is feasible.
TEST(Candidates, WhereHardlyAnythingIsFeasibleAreMutants) {
  Json definition = Json::object();
  for (const char* key : {"a", "b", "c", "d", "e", "f", "g", "h"}) {
    definition[key] = {{"_type", "randint"}, {"_value", {0, 10}}};
  }
  const SearchSpace space = SearchSpace::parse(definition);
  const Annotation annotation = constrain(
      space, R"({"linear": [{"sum": {"a": 1, "b": 1, "c": 1, "d": 1, "e": 1, "f": 1, "g": 1, "h": 1}, "max": 8}]})");
  Rng rng(7);
  ConfigurationKeys distinct;
  for (const Configuration& candidate : make_candidates(ask(space, annotation), 1, rng)) {
    annotation.check(candidate);
    distinct.insert(configuration_key(candidate));
  }
  EXPECT_EQ(distinct.size(), 200u);
}

// The score is the number of large kernels: what mutation climbs and draws hardly reach.
TEST(Candidates, MutantsOfTheBestAreBetterAndFeasible) {
  const SearchSpace space = SearchSpace::load(kNas);
  Json definition = Annotation::load("", kNas, space).definition();
  definition["constraints"]["cost"]["multiply_adds"]["max"] = 400e6;
  const Annotation annotation = Annotation::parse(definition, space);
  Rng rng(3);
  const TaskView task = ask(space, annotation);
  int calls = 0;
  const ScoreBatch score = [&](const std::vector<Configuration>& configurations) {
    ++calls;
    std::vector<float> scores;
    for (const Configuration& configuration : configurations) {
      float kernels = 0;
      for (const Json& stage : configuration) {
        for (const auto& [key, value] : stage.items()) kernels += key.rfind("kernel", 0) == 0 && value == 7;
      }
      scores.push_back(kernels);
    }
    return scores;
  };
  std::vector<Configuration> candidates = make_candidates(task, 1, rng);
  std::vector<float> scores = score(candidates);
  const float before = *std::max_element(scores.begin(), scores.end());
  improve_candidates(task, candidates, scores, score, rng);
  const float after = *std::max_element(scores.begin(), scores.end());
  EXPECT_GE(after, before + 2);
  EXPECT_LE(calls, 6);
  ASSERT_EQ(candidates.size(), scores.size());
  EXPECT_EQ(scores, score(candidates));
  ConfigurationKeys distinct;
  for (const Configuration& candidate : candidates) {
    space.check(candidate);
    annotation.check(candidate);
    distinct.insert(configuration_key(candidate));
  }
  EXPECT_EQ(distinct.size(), candidates.size());
}

TEST(Candidates, SomeAreNearTheBestResults) {
  const SearchSpace space = parse(R"({"x": {"_type": "uniform", "_value": [0, 1]},
                                      "y": {"_type": "uniform", "_value": [0, 1]},
                                      "z": {"_type": "uniform", "_value": [0, 1]}})");
  std::vector<ScoredConfiguration> results;
  for (int i = 0; i < 10; ++i) results.push_back({{{"x", 0.1 * i}, {"y", 0.1 * i}, {"z", 0.1 * i}}, -1.0 * i});
  const ConfigurationKeys taken;
  const TaskView task{space, results, taken, nullptr};
  Rng rng(6);
  std::vector<Configuration> candidates = make_candidates(task, 1, rng);
  std::vector<float> scores(candidates.size());
  const std::size_t drawn = candidates.size();
  improve_candidates(
      task, candidates, scores, [](const auto& added) { return std::vector<float>(added.size(), -1); }, rng);
  // No candidate is as good as a draw, so parents of the rest are draws.
  int near = 0;
  for (std::size_t i = drawn; i < drawn + 30; ++i) {
    near += std::abs(candidates[i]["x"].get<double>() - candidates[i]["y"].get<double>()) < 1e-9 ||
            std::abs(candidates[i]["y"].get<double>() - candidates[i]["z"].get<double>()) < 1e-9 ||
            std::abs(candidates[i]["x"].get<double>() - candidates[i]["z"].get<double>()) < 1e-9;
  }
  EXPECT_GE(near, 15);  // those with one change keep two numbers
}

TEST(Untaken, GivesEveryFeasibleConfigurationOnce) {
  const SearchSpace space =
      parse(R"({"a": {"_type": "randint", "_value": [0, 40]}, "b": {"_type": "randint", "_value": [0, 40]}})");
  const Annotation annotation = constrain(space, R"({"linear": [{"sum": {"a": 1, "b": 1}, "max": 3}]})");
  const ConfigurationKeys taken = {configuration_key({{"a", 0}, {"b", 0}})};
  Untaken untaken(space, taken, annotation);
  Rng rng(4);
  ConfigurationKeys seen;
  while (auto drawn = untaken.draw(rng)) {
    annotation.check(*drawn);
    EXPECT_TRUE(seen.insert(configuration_key(*drawn)));
  }
  EXPECT_EQ(seen.size(), 9u);
}

// As an experiment asks, one by one, every time from the beginning.
TEST(Untaken, GoesOnWhereFewAreFeasible) {
  const SearchSpace space = parse(R"({"x": {"_type": "uniform", "_value": [0, 1]}})");
  const Annotation annotation = constrain(space, R"({"linear": [{"name": "roof", "sum": {"x": 1}, "max": 0.0001}]})");
  ConfigurationKeys taken;
  for (std::uint64_t seed = 0; seed < 30; ++seed) {
    Rng rng(seed);
    const auto drawn = Untaken(space, taken, annotation).draw(rng);
    ASSERT_TRUE(drawn) << seed;
    annotation.check(*drawn);
    EXPECT_TRUE(taken.insert(configuration_key(*drawn)));
  }
}

TEST(Untaken, SaysThatConstraintsLeaveNothing) {
  const SearchSpace space = parse(R"({"x": {"_type": "uniform", "_value": [0, 1]}})");
  const Annotation annotation = constrain(space, R"({"linear": [{"name": "roof", "sum": {"x": 1}, "max": -1}]})");
  Rng rng(5);
  const ConfigurationKeys nothing_taken;
  Untaken untaken(space, nothing_taken, annotation);
  EXPECT_NE(message_of([&] { untaken.draw(rng); }).find("constraint roof turned away 60000 of 60000"),
            std::string::npos);
}

}  // namespace
}  // namespace hyperfd
