#include "tuner/platform/past_experience.h"

#include <cmath>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hyperfd {
namespace {

using ::testing::ElementsAre;

SearchSpace one_to_nine() {
  return SearchSpace::parse(parse_json(R"({"n": {"_type": "choice", "_value": [1,2,3,4,5,6,7,8,9]}})", "space"));
}

ScoredConfiguration scored(int n, double score) {
  return {Json{{"n", n}}, score};
}

TEST(PastTask, KeepsTheMeanOfAConfigurationThatWasTriedTwice) {
  const SearchSpace space = one_to_nine();
  const PastTask task("a", space, {scored(3, 0.5), scored(1, 0.9), scored(3, 0.7), scored(3, 0.3)});
  ASSERT_EQ(task.size(), 2u);
  EXPECT_EQ(task.results()[0].configuration, (Json{{"n", 3}}));
  EXPECT_NEAR(task.results()[0].score, 0.5, 1e-12);
  EXPECT_EQ(task.keys()[1], configuration_key(Json{{"n", 1}}));
  EXPECT_EQ(task.encodings()[1], space.encode(Json{{"n", 1}}));
  EXPECT_THAT(task.ranks(), ElementsAre(1, 0));
}

TEST(PastTask, AveragesScoresWhoseDifferenceIsBeyondADouble) {
  const double most = std::numeric_limits<double>::max();
  const PastTask task("a", one_to_nine(), {scored(1, -most), scored(1, most), scored(1, most), scored(2, 0)});
  EXPECT_NEAR(task.results()[0].score / most, 1.0 / 3, 1e-12);
  EXPECT_THAT(task.ranks(), ElementsAre(0, 1));
}

TEST(RelativeRanks, EndsWithWhatIsNoNumber) {
  EXPECT_EQ(relative_ranks({std::nan(""), std::nan("")}).size(), 2u);
}

TEST(PastExperience, NumbersDistinctConfigurationsInTheOrderOfTheirFirstTrial) {
  const SearchSpace space = one_to_nine();
  const auto a = std::make_shared<const PastTask>("a", space, std::vector{scored(5, 0.1), scored(2, 0.2)});
  const auto b = std::make_shared<const PastTask>("b", space, std::vector{scored(2, 0.3), scored(7, 0.4)});
  const PastExperience past({a, b});
  ASSERT_EQ(past.configurations().size(), 3u);
  EXPECT_EQ((*past.configurations()[2])["n"], 7);
  EXPECT_THAT(past.places(0), ElementsAre(0, 1));
  EXPECT_THAT(past.places(1), ElementsAre(1, 2));
  EXPECT_FALSE(past.empty());
  EXPECT_TRUE(PastExperience::none().empty());
}

TEST(Memo, ComputesOnce) {
  const Memo memo;
  int calls = 0;
  const auto make = [&] { return ++calls; };
  EXPECT_EQ(*memo.get("a", make), 1);
  EXPECT_EQ(*memo.get("a", make), 1);
  EXPECT_EQ(*memo.get("b", make), 2);
}

TEST(RelativeRanks, AreTheShareOfTheOthersThatAreBetter) {
  EXPECT_THAT(relative_ranks({0.2, 0.9, 0.4}), ElementsAre(1, 0, 0.5));
  EXPECT_THAT(relative_ranks({1, 1, 0, 1, 0}), ElementsAre(0.25, 0.25, 0.875, 0.25, 0.875));
  EXPECT_THAT(relative_ranks({7}), ElementsAre(0.5));
  EXPECT_THAT(relative_ranks({7, 7}), ElementsAre(0.5, 0.5));
  EXPECT_TRUE(relative_ranks({}).empty());
}

}  // namespace
}  // namespace hyperfd
