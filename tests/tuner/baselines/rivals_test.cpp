// What each rival computes, against golden/baselines.py.
#include <numeric>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/tuner/baselines/golden.h"
#include "tests/tuner/baselines/past.h"
#include "tuner/baselines/average_rank_policy.h"
#include "tuner/baselines/greedy_portfolio_policy.h"
#include "tuner/baselines/joint_predictor.h"
#include "tuner/baselines/nearest_task_policy.h"
#include "tuner/baselines/rank_booster.h"
#include "tuner/baselines/rgpe_policy.h"
#include "tuner/baselines/surrogate.h"
#include "tuner/baselines/tr_automl_policy.h"
#include "tuner/baselines/utilities.h"

namespace hyperfd {
namespace {

using ::testing::DoubleNear;
using ::testing::ElementsAre;
using ::testing::Pointwise;

void expect_near(const Numbers& values, const Numbers& expected) {
  EXPECT_THAT(values, Pointwise(DoubleNear(1e-9), expected));
}

TEST(NormalScores, AreTheQuantilesOfRanks) {
  const Json expected = golden("ranks");
  const Numbers relative = relative_ranks(expected["scores"]);
  expect_near(relative, expected["relative"]);
  expect_near(normal_scores_of_ranks(relative), expected["normal"]);
  expect_near(normal_scores_of_ranks({0.5}), {0});
  EXPECT_TRUE(normal_scores_of_ranks({}).empty());
}

TEST(SpreadOverRanking, KeepsEveryPartOfTheRanking) {
  const Numbers ranks = {0.5, 0, 1, 0.25, 0.75};
  EXPECT_THAT(spread_over_ranking(ranks, 5), ElementsAre(0, 1, 2, 3, 4));
  EXPECT_THAT(spread_over_ranking(ranks, 3), ElementsAre(1, 0, 2));
}

TEST(AverageRank, MixesSparseRanksWithOneMoreOfOneHalf) {
  const Json expected = golden("sparse_experience");
  const SearchSpace space = grid_space();
  PastBuilder builder(space);
  for (const Json& task : expected["scores"]) {
    std::vector<ScoredConfiguration> results;
    for (std::size_t i = 0; i < task.size(); ++i) {
      if (!task[i].is_null()) results.push_back({space.at(i), task[i]});
    }
    builder.add(results);
  }
  const PastExperience past = builder.build();
  std::vector<std::size_t> all(past.tasks().size());
  std::iota(all.begin(), all.end(), std::size_t{0});
  const Numbers means = mean_ranks(past, all);
  ASSERT_EQ(means.size(), 9u);
  for (std::size_t i = 0; i < means.size(); ++i) {
    std::size_t index = 0;
    while (space.at(index) != *past.configurations()[i]) ++index;
    EXPECT_NEAR(means[i], expected["mean_ranks"][index].get<double>(), 1e-9);
  }
}

TEST(GreedyPortfolio, ChoosesWhatMostImprovesTheMeanBest) {
  const Json expected = golden("portfolio");
  const std::vector<std::size_t> chosen = choose_portfolio(expected["utilities"].get<Rows>(), expected["best"], 5);
  EXPECT_EQ(chosen, expected["chosen"].get<std::vector<std::size_t>>());
  EXPECT_EQ(choose_portfolio(expected["utilities"].get<Rows>(), expected["best"], 99).size(), 10u);
}

TEST(GreedyPortfolio, GoesOnFromWhatTheTaskHasTried) {
  const SearchSpace space = grid_space();
  // Two tasks with one specialist each, and a compromise.
  const PastExperience past = PastBuilder(space)
                                  .add({{space.at(0), 0.9}, {space.at(1), 0.1}, {space.at(2), 0.5}})
                                  .add({{space.at(0), 0.1}, {space.at(1), 0.9}, {space.at(2), 0.5}})
                                  .build();
  const SearchSpace part = space.only({space.at(0), space.at(1), space.at(2)});
  const auto policy = make_policy("greedy_portfolio");
  Rng rng(1);
  const ConfigurationKeys first = {configuration_key(space.at(0))};
  EXPECT_EQ(policy->suggest({part, {}, first, nullptr, past}, 1, rng).at(0), space.at(1)) << "pending";
  EXPECT_EQ(policy->suggest({part, {{space.at(0), 0.3}}, first, nullptr, past}, 1, rng).at(0), space.at(1)) << "done";
}

TEST(Utilities, AreKnownRanksElsePredicted) {
  const SearchSpace space = grid_space();
  const PastTask task("a", space, {{space.at(0), 0.3}, {space.at(1), 0.9}, {space.at(215), 0.6}});
  const Numbers utilities =
      utilities_on(task, {configuration_key(space.at(1)), configuration_key(space.at(0)), ConfigurationKey{1}},
                   {space.encode(space.at(1)), space.encode(space.at(0)), space.encode(space.at(3))});
  EXPECT_EQ(utilities[0], 1);
  EXPECT_EQ(utilities[1], 0);
  EXPECT_GT(utilities[2], 0);
  EXPECT_LT(utilities[2], 1);
}

TEST(NearestTask, OrdersTasksByStandardisedL1Distance) {
  const Json expected = golden("nearest");
  const SearchSpace space = grid_space();
  PastBuilder builder(space);
  for (const Json& statistics : expected["statistics"]) builder.add({{space.at(0), 1}}, statistics);
  EXPECT_EQ(tasks_by_distance(builder.build(), expected["own"]), expected["order"].get<std::vector<std::size_t>>());
}

TEST(NearestTask, TakesTheNewestFirstWithoutStatistics) {
  const SearchSpace space = grid_space();
  const PastExperience past = PastBuilder(space).add({{space.at(0), 1}}).add({{space.at(1), 1}}).build();
  EXPECT_THAT(tasks_by_distance(past, {}), ElementsAre(1, 0));
}

TEST(NearestTask, GivesTheBestOfEachNeighbourInTurn) {
  const SearchSpace space = grid_space();
  const PastExperience past = PastBuilder(space)
                                  .add({{space.at(10), 0.9}, {space.at(11), 0.8}, {space.at(12), 0.7}}, {1})
                                  .add({{space.at(20), 0.9}, {space.at(10), 0.8}, {space.at(22), 0.7}}, {2})
                                  .add({{space.at(30), 0.9}}, {9})
                                  .build();
  Rng rng(1);
  EXPECT_THAT(make_policy("nearest_task")->suggest({space, {}, {}, nullptr, past, {1.1}}, 5, rng),
              ElementsAre(space.at(10), space.at(20), space.at(30), space.at(11), space.at(12)));
  EXPECT_THAT(make_policy("nearest_task:neighbours=1")->suggest({space, {}, {}, nullptr, past, {1.1}}, 3, rng),
              ElementsAre(space.at(10), space.at(11), space.at(12)));
}

TEST(BestOnSource, GoesDownTheRankingOfTheSource) {
  const SearchSpace space = grid_space();
  const std::vector<ScoredConfiguration> ranking = {{space.at(5), 0.4}, {space.at(7), 0.9}, {space.at(9), 0.6}};
  const std::vector<ScoredConfiguration> reversed = {{space.at(5), 0.9}, {space.at(7), 0.1}};
  const SearchSpace part = space.only({space.at(5), space.at(7), space.at(9)});
  Rng rng(1);
  for (const bool is_offline : {true, false}) {
    const PastExperience past = PastBuilder(space).add(ranking, {}, is_offline).add(reversed).build();
    EXPECT_THAT(make_policy("best_on_source")->suggest({part, {}, {}, nullptr, past}, 3, rng),
                ElementsAre(space.at(7), space.at(9), space.at(5)));
  }
}

TEST(Rgpe, WeighsModelsByHowOftenTheyRankBest) {
  const Json expected = golden("rgpe");
  expect_near(rgpe_weights(expected["losses"].get<Rows>()), expected["weights"]);
}

TEST(Rgpe, TrustsTheTaskThatRanksAsThisOne) {
  const SearchSpace space = grid_space();
  Rng rng(9);
  std::vector<ScoredConfiguration> likes, dislikes, own;
  for (int i = 0; i < 60; ++i) {
    const Configuration c = space.sample(rng);
    const double rate = c["learning_rate"].get<double>();
    likes.push_back({c, rate});
    dislikes.push_back({c, -rate});
  }
  for (const std::uint64_t i : {0u, 40u, 80u, 120u, 160u, 200u}) {
    own.push_back({space.at(i), space.at(i)["learning_rate"].get<double>()});
  }
  ConfigurationKeys taken;
  for (const auto& result : own) taken.insert(configuration_key(result.configuration));
  const PastExperience past = PastBuilder(space).add(dislikes).add(likes).build();
  const auto next = make_policy("rgpe")->suggest({space, own, taken, nullptr, past}, 1, rng).at(0);
  EXPECT_EQ(next["learning_rate"], 0.003);
}

TEST(MarkovGroups, AreThoseOfTheTextbookAlgorithm) {
  const Json expected = golden("markov");
  Eigen::MatrixXd similarities(9, 9);
  for (Eigen::Index i = 0; i < 9; ++i) {
    for (Eigen::Index j = 0; j < 9; ++j) {
      similarities(i, j) = expected["similarities"][static_cast<std::size_t>(i)][static_cast<std::size_t>(j)];
    }
  }
  const std::vector<std::size_t> groups = markov_groups(similarities);
  for (std::size_t i = 0; i < 9; ++i) {
    for (std::size_t j = 0; j < 9; ++j) EXPECT_EQ(groups[i] == groups[j], expected["together"][i][j].get<bool>());
  }
}

// Scores of grid_space(): the first and one more stand out from a falling line.
double tr_automl_score(std::uint64_t i, double first, double second, std::uint64_t best) {
  if (i == 0) return first;
  return i == best ? 0.95 : second - 0.002 * static_cast<double>(i);
}

TEST(TrAutoMl, TriesTheBenchmarkThenTheBestOfTheGroup) {
  const SearchSpace space = grid_space();
  ASSERT_GE(*space.size(), 100u);
  PastBuilder builder(space);
  const auto add = [&](double first, double second, std::uint64_t best) {
    std::vector<ScoredConfiguration> results;
    for (std::uint64_t i = 0; i < *space.size(); ++i)
      results.push_back({space.at(i), tr_automl_score(i, first, second, best)});
    builder.add(results);
  };
  // {70} is best for tasks where the benchmark does well, {60} where it does badly.
  add(0.96, 0.6, 70);
  for (const double shift : {0.0, 0.01, 0.02}) {
    add(0.9 - shift, 0.6 + shift, 70);
    add(0.3 - shift, 0.25 + shift, 60);
  }
  const PastExperience past = builder.build();
  const auto first = [&](double on_first, double on_others) {
    const auto report = [&](const Configuration& c) { return c == space.at(0) ? on_first : on_others; };
    return ask_one_by_one(*make_policy("tr_automl"), space, past, 3, 1, report);
  };
  // The best for the oldest task, then the median of what is left.
  EXPECT_THAT(first(0.895, 0.39), ElementsAre(space.at(0), space.at(108), space.at(70)));
  EXPECT_THAT(first(0.295, 0.04), ElementsAre(space.at(0), space.at(108), space.at(60)));
}

TEST(JointPredictor, LearnsAFunctionAndIsReproducible) {
  Rng rng(3);
  std::vector<std::vector<float>> rows;
  std::vector<float> targets;
  for (int i = 0; i < 400; ++i) {
    rows.push_back({static_cast<float>(rng.uniform()), static_cast<float>(rng.uniform())});
    targets.push_back(3 * rows.back()[0] * rows.back()[1] - 1);
  }
  const auto predicted = JointPredictor::train(rows, targets, 5).predict(rows);
  double error = 0;
  for (std::size_t i = 0; i < rows.size(); ++i) error += std::pow(predicted[i] - targets[i], 2) / 400;
  EXPECT_LT(error, 0.02);
  EXPECT_EQ(JointPredictor::train(rows, targets, 5).predict(rows), predicted);
}

TEST(RankBooster, LearnsWhatRanksHighWithinGroups) {
  // Two groups whose relevance follows the first column; the second only says which group it is.
  std::vector<std::vector<float>> rows;
  std::vector<float> relevance;
  for (int i = 0; i < 40; ++i) {
    rows.push_back({static_cast<float>((i * 7) % 20), static_cast<float>(i / 20)});
    relevance.push_back(rows.back()[0] > 14 ? 3.0f : rows.back()[0] > 7 ? 1.0f : 0.0f);
  }
  const RankBooster booster(rows, relevance, {20, 20});
  const auto scores = booster.predict({{1, 0}, {10, 0}, {18, 0}, {18, 1}});
  EXPECT_LT(scores[0], scores[1]);
  EXPECT_LT(scores[1], scores[2]);
  EXPECT_LT(scores[1], scores[3]);
}

TEST(JointPolicies, FollowStatisticsWhereTasksDisagree) {
  const SearchSpace space = grid_space();
  Rng rng(11);
  PastBuilder builder(space);
  for (int t = 0; t < 10; ++t) {
    const double kind = t % 2;
    std::vector<ScoredConfiguration> results;
    for (int i = 0; i < 40; ++i) {
      const Configuration c = space.sample(rng);
      results.push_back({c, ((c["optimizer"] == "adam") == (kind == 1) ? 0.7 : 0.4) + 0.01 * rng.normal()});
    }
    builder.add(results, {kind + 0.05 * rng.normal(), rng.normal()});
  }
  const PastExperience past = builder.build();
  for (const std::string name : {"scot", "hyperstar", "gradient_boosting", "nearest_task"}) {
    for (const double kind : {0.0, 1.0}) {
      const std::vector<double> statistics = {kind, 0};
      const auto first = make_policy(name)->suggest({space, {}, {}, nullptr, past, statistics}, 1, rng).at(0);
      EXPECT_EQ(first["optimizer"], kind == 1 ? "adam" : "sgd") << name << " " << kind;
    }
  }
}

}  // namespace
}  // namespace hyperfd
