#include <string>
#include <unordered_set>

#include <gtest/gtest.h>

#include "tuner/platform/selection_policy.h"

namespace hyperfd {
namespace {

SearchSpace hpo_space() {
  return SearchSpace::load(HYPERFD_SOURCE_DIR "/search_spaces/hpo.yaml");
}

RankingModel make_model(const SearchSpace& space) {
  RankerOptions options;
  options.iterations_per_update = 20;
  RankingModel model(space.encoding_size(), options, 1);
  TaskExperience task;
  Rng rng(2);
  for (int i = 0; i < 20; ++i) {
    task.encodings.push_back(space.encode(space.sample(rng)));
    task.scores.push_back(rng.uniform());
  }
  model.update({task}, 3);
  return model;
}

// Place of a configuration in the ranking of those not in `taken`, from 0.
std::size_t place(const SearchSpace& space, const RankingModel& model, const std::unordered_set<std::string>& taken,
                  const Configuration& configuration) {
  const auto score = [&](const Configuration& c) { return model.score({}, {space.encode(c)})[0]; };
  std::size_t better = 0;
  for (std::uint64_t i = 0; i < *space.size(); ++i) {
    const Configuration other = space.at(i);
    if (!taken.count(fingerprint(other)) && score(other) > score(configuration)) ++better;
  }
  return better;
}

TEST(HyperFdPolicy, GivesTheTopOfTheRankingFirstAndHalfOfTheBudget) {
  const SearchSpace space = hpo_space();
  const RankingModel model = make_model(space);
  const auto policy = make_policy("hyperfd");
  std::size_t random_ones_at_the_top = 0;
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    Rng rng(seed);
    std::unordered_set<std::string> taken;
    const auto suggestions = policy->suggest({space, {}, taken, &model}, 4, rng);
    ASSERT_EQ(suggestions.size(), 4u);
    for (std::size_t k = 0; k < 4; ++k) {
      const std::size_t at = place(space, model, taken, suggestions[k]);
      if (k % 2 == 0)
        EXPECT_EQ(at, 0u) << "suggestion " << k;
      else if (at == 0)
        ++random_ones_at_the_top;
      EXPECT_TRUE(taken.insert(fingerprint(suggestions[k])).second);
    }
  }
  EXPECT_LE(random_ones_at_the_top, 2u);
}

TEST(HyperFdPolicy, MakesNoDifferenceBetweenOneByOneAndAtOnce) {
  const SearchSpace space = hpo_space();
  const RankingModel model = make_model(space);
  const auto policy = make_policy("hyperfd");
  Rng at_once(5), one_by_one(5);
  std::unordered_set<std::string> taken;
  for (const Configuration& expected : policy->suggest({space, {}, taken, &model}, 6, at_once)) {
    const auto next = policy->suggest({space, {}, taken, &model}, 1, one_by_one);
    ASSERT_EQ(next.size(), 1u);
    EXPECT_EQ(next[0], expected);
    taken.insert(fingerprint(next[0]));
  }
}

TEST(HyperFdPolicy, LetsATasksOwnResultsMoveTheTop) {
  const SearchSpace space = hpo_space();
  const RankingModel model = make_model(space);
  const auto policy = make_policy("hyperfd");
  Rng rng(6);
  const std::unordered_set<std::string> taken;
  const Configuration top = policy->suggest({space, {}, taken, &model}, 1, rng).at(0);
  // The model's favourite and everything like it is bad here.
  std::vector<ScoredConfiguration> results;
  for (int i = 0; i < 30; ++i) {
    const Configuration other = space.sample(rng);
    double distance = 0;
    for (const auto& entry : other.items()) distance += entry.value() == top[entry.key()] ? 0 : 1;
    results.push_back({other, distance});
  }
  EXPECT_NE(policy->suggest({space, results, taken, &model}, 1, rng).at(0), top);
}

TEST(HyperFdPolicy, GivesEveryConfigurationOfASmallSpaceOnce) {
  const SearchSpace space = hpo_space();
  const RankingModel model = make_model(space);
  const auto policy = make_policy("hyperfd");
  Rng rng(7);
  std::unordered_set<std::string> taken;
  while (taken.size() < 216) {
    const auto suggestions = policy->suggest({space, {}, taken, &model}, 40, rng);
    ASSERT_EQ(suggestions.size(), std::min<std::size_t>(40, 216 - taken.size()));
    for (const Configuration& suggestion : suggestions) EXPECT_TRUE(taken.insert(fingerprint(suggestion)).second);
  }
  EXPECT_TRUE(policy->suggest({space, {}, taken, &model}, 1, rng).empty());
}

TEST(HyperFdPolicy, RanksDrawsOfASpaceThatCannotBeEnumerated) {
  const auto space = SearchSpace::parse(parse_json(
      R"({"lr": {"_type": "loguniform", "_value": [0.0001, 0.1]}, "n": {"_type": "randint", "_value": [0, 5]}})",
      "space"));
  RankingModel model(space.encoding_size(), {}, 1);
  TaskExperience task;
  Rng rng(8);
  for (int i = 0; i < 30; ++i) {
    const Configuration configuration = space.sample(rng);
    task.encodings.push_back(space.encode(configuration));
    task.scores.push_back(configuration["lr"].get<double>());  // the larger the better
  }
  model.update({task}, 2);
  const auto first = make_policy("hyperfd")->suggest({space, {}, {}, &model}, 1, rng);
  ASSERT_EQ(first.size(), 1u);
  space.check(first[0]);
  EXPECT_GT(first[0]["lr"].get<double>(), 0.03);  // the best sixth of the range, on its logarithmic scale
}

TEST(HyperFdPolicy, AnswersMoreThanItsCandidatesInALargeSpace) {
  const auto space = SearchSpace::parse(parse_json(R"({"x": {"_type": "uniform", "_value": [0, 1]}})", "space"));
  const RankingModel model = make_model(space);
  Rng rng(9);
  const auto suggestions = make_policy("hyperfd")->suggest({space, {}, {}, &model}, 500, rng);
  std::unordered_set<std::string> distinct;
  for (const Configuration& suggestion : suggestions) distinct.insert(fingerprint(suggestion));
  EXPECT_EQ(distinct.size(), 500u);
}

TEST(HyperFdPolicy, IsRandomWithoutATrainedModel) {
  const SearchSpace space = hpo_space();
  const RankingModel untrained(space.encoding_size(), {}, 1);
  Rng expected_rng(10), no_model_rng(10), untrained_rng(10);
  const auto expected = make_policy("random")->suggest({space, {}, {}, nullptr}, 4, expected_rng);
  EXPECT_EQ(make_policy("hyperfd")->suggest({space, {}, {}, nullptr}, 4, no_model_rng), expected);
  EXPECT_EQ(make_policy("hyperfd")->suggest({space, {}, {}, &untrained}, 4, untrained_rng), expected);
}

}  // namespace
}  // namespace hyperfd
