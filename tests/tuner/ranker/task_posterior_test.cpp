#include "tuner/ranker/task_posterior.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <gmock/gmock.h>

#include "tuner/base/rng.h"

namespace hyperfd {
namespace {

using ::testing::DoubleNear;
using ::testing::ElementsAre;

PosteriorInput random_input(std::size_t n, std::size_t columns, Rng& rng) {
  PosteriorInput input;
  input.size = n;
  for (std::size_t i = 0; i < n * columns; ++i) input.encodings.push_back(static_cast<float>(rng.uniform()));
  return input;
}

TEST(NormalScores, AreQuantilesOfRanks) {
  // scipy.stats.norm.ppf([1/5, 2/5, 3/5, 4/5])
  EXPECT_THAT(normal_scores({3, 1, 100, 2}),
              ElementsAre(DoubleNear(0.2533471031357997, 1e-9), DoubleNear(-0.8416212335729142, 1e-9),
                          DoubleNear(0.8416212335729143, 1e-9), DoubleNear(-0.2533471031357997, 1e-9)));
}

TEST(NormalScores, GiveTiesTheirMeanRank) {
  EXPECT_THAT(normal_scores({7, 7, 7}), ElementsAre(DoubleNear(0, 1e-9), DoubleNear(0, 1e-9), DoubleNear(0, 1e-9)));
  const std::vector<double> scores = normal_scores({1, 2, 2, 3});
  EXPECT_EQ(scores[1], scores[2]);
  EXPECT_NEAR(scores[1], 0, 1e-9);
  EXPECT_TRUE(normal_scores({}).empty());
}

TEST(ExpectedImprovement, IsTheMeanGain) {
  Rng rng(1);
  double sum = 0;
  const int draws = 200000;
  for (int i = 0; i < draws; ++i) sum += std::max(0.3 + 0.7 * rng.normal() - 0.5, 0.0);
  EXPECT_NEAR(expected_improvement(0.3, 0.7, 0.5), sum / draws, 0.005);
  EXPECT_EQ(expected_improvement(2, 0, 0.5), 1.5);
  EXPECT_EQ(expected_improvement(0, 0, 0.5), 0);
}

TEST(TaskPosterior, IsThePriorRankingWithoutResults) {
  Rng rng(2);
  PosteriorInput input = random_input(20, 3, rng);
  for (std::size_t i = 0; i < input.size; ++i) input.prior.push_back(rng.normal());
  const auto prediction = TaskPosterior(input, {}, {}, {}, 1).predict(input);
  for (std::size_t i = 1; i < input.size; ++i) {
    EXPECT_EQ(prediction.mean[i] > prediction.mean[0], input.prior[i] > input.prior[0]);
    EXPECT_GT(prediction.deviation[i], 0);
  }
}

TEST(TaskPosterior, FollowsResultsAndIsSurerNearThem) {
  Rng rng(3);
  const PosteriorInput population = random_input(200, 2, rng), results = random_input(25, 2, rng);
  std::vector<double> scores;
  for (std::size_t i = 0; i < results.size; ++i) scores.push_back(static_cast<double>(results.encodings[2 * i]));
  const TaskPosterior posterior(population, results, scores);
  PosteriorInput probes;
  probes.size = 3;
  probes.encodings = {0.1f, 0.5f, 0.9f, 0.5f, 40, 40};
  const auto prediction = posterior.predict(probes);
  EXPECT_LT(prediction.mean[0], prediction.mean[1] - 1);
  EXPECT_GT(prediction.deviation[2], 2 * prediction.deviation[0]);
}

TEST(TaskPosterior, KeepsMeansAndLosesDoubtWherePendingOnesAre) {
  Rng rng(6);
  const PosteriorInput population = random_input(100, 2, rng), results = random_input(8, 2, rng);
  const std::vector<double> scores = {5, 3, 8, 1, 2, 9, 4, 7};
  const TaskPosterior before(population, results, scores);
  TaskPosterior after(population, results, scores);
  PosteriorInput pending;
  pending.size = 1;
  pending.encodings = {0.5f, 0.5f};
  after.add_pending(pending);
  const auto without = before.predict(population), with = after.predict(population);
  for (std::size_t i = 0; i < population.size; ++i) {
    EXPECT_NEAR(with.mean[i], without.mean[i], 1e-4);
    EXPECT_LE(with.deviation[i], without.deviation[i] + 1e-4);
  }
  EXPECT_LT(after.predict(pending).deviation[0], before.predict(pending).deviation[0] / 2);
  EXPECT_LT(after.acquisition(pending)[0], before.acquisition(pending)[0] / 2);
}

TEST(TaskPosterior, TrustsARankingThatResultsConfirmAndNotOneTheyContradict) {
  Rng rng(4);
  PosteriorInput population = random_input(100, 4, rng), results = random_input(8, 4, rng);
  const auto prior_of = [](const PosteriorInput& input) {
    std::vector<double> prior;
    for (std::size_t i = 0; i < input.size; ++i)
      prior.push_back(std::sin(40 * static_cast<double>(input.encodings[4 * i])));
    return prior;  // too rough to be learned from eight results
  };
  population.prior = prior_of(population);
  results.prior = prior_of(results);
  const auto agreement = [&](double sign) {
    std::vector<double> scores;
    for (const double prior : results.prior) scores.push_back(sign * prior);
    const auto mean = TaskPosterior(population, results, scores, {}, 5).predict(population).mean;
    double sum = 0;
    for (std::size_t i = 0; i < mean.size(); ++i) sum += mean[i] * population.prior[i];
    return sum / static_cast<double>(mean.size());
  };
  EXPECT_GT(agreement(1), 0.3);
  EXPECT_LT(agreement(-1), 0.15);
}

TEST(TaskPosterior, LearnsWhichColumnsMatter) {
  Rng rng(7);
  const PosteriorInput population = random_input(200, 6, rng), results = random_input(30, 6, rng);
  const auto value = [](const PosteriorInput& input, std::size_t i) {
    const double x = static_cast<double>(input.encodings[6 * i]);
    return -(x - 0.6) * (x - 0.6);
  };
  std::vector<double> scores;
  for (std::size_t i = 0; i < results.size; ++i) scores.push_back(value(results, i));
  const std::vector<double> gains = TaskPosterior(population, results, scores).acquisition(population);
  const auto chosen = static_cast<std::size_t>(std::max_element(gains.begin(), gains.end()) - gains.begin());
  EXPECT_GT(value(population, chosen), -0.01);
}

// Two branches of one parameter each; the first is flat, the second was seen once, at a bad place.
TEST(TaskPosterior, TellsNothingOfABranchFromAnother) {
  EncodingColumns columns;
  add_feature(columns, 2, -1);
  add_feature(columns, 1, 0);
  add_feature(columns, 1, 1);
  const auto input = [](const std::vector<std::vector<float>>& rows) {
    PosteriorInput result;
    for (const auto& row : rows) result.encodings.insert(result.encodings.end(), row.begin(), row.end());
    result.size = rows.size();
    return result;
  };
  std::vector<std::vector<float>> population, known;
  for (int i = 0; i <= 10; ++i) {
    population.push_back({1, 0, static_cast<float>(i) / 10, 0});
    population.push_back({0, 1, 0, static_cast<float>(i) / 10});
  }
  std::vector<double> scores;
  for (int i = 0; i < 9; ++i) {
    known.push_back({1, 0, static_cast<float>(i) / 8, 0});
    scores.push_back(1);
  }
  known.push_back({0, 1, 0, 0});
  scores.push_back(0);
  const TaskPosterior posterior(input(population), input(known), scores, columns);
  const auto prediction = posterior.predict(input({{1, 0, 0, 0}, {1, 0, 1, 0}, {0, 1, 0, 0}, {0, 1, 0, 1}}));
  EXPECT_NEAR(prediction.mean[0], prediction.mean[1], 0.1);
  EXPECT_GT(prediction.mean[0], prediction.mean[2] + 0.5);
  EXPECT_GT(prediction.deviation[3], 2 * prediction.deviation[2]);
}

TEST(TaskPosterior, TrustsARankingOfManyTasksMore) {
  Rng rng(8);
  PosteriorInput population = random_input(50, 3, rng);
  for (std::size_t i = 0; i < population.size; ++i) population.prior.push_back(rng.normal());
  const auto spread = [&](std::size_t tasks) {
    const auto mean = TaskPosterior(population, {}, {}, {}, tasks).predict(population).mean;
    return *std::max_element(mean.begin(), mean.end()) - *std::min_element(mean.begin(), mean.end());
  };
  EXPECT_GT(spread(1), 0);
  EXPECT_GT(spread(20), 2 * spread(1));
}

TEST(SquashedScores, KeepSmallDifferencesSmallAndHugeOnesBounded) {
  const std::vector<double> plateau = squashed_scores({0, 1, 2, 3, 9.97, 9.98, 9.99, 10});
  EXPECT_LT(plateau[7] - plateau[4], 0.1 * (plateau[4] - plateau[0]));
  const std::vector<double> diverged = squashed_scores({-1e308, 1, 2, 3, 4, 5, 6, 7, 8, 1e308});
  for (std::size_t i = 1; i < diverged.size(); ++i) {
    EXPECT_TRUE(std::isfinite(diverged[i]));
    EXPECT_GT(diverged[i], diverged[i - 1]);
  }
  EXPECT_THAT(squashed_scores({7, 7, 7}), ElementsAre(DoubleNear(0, 1e-9), DoubleNear(0, 1e-9), DoubleNear(0, 1e-9)));
  EXPECT_TRUE(squashed_scores({}).empty());
}

TEST(TaskPosterior, IsFiniteForRepeatedAndEqualResults) {
  Rng rng(5);
  const PosteriorInput population = random_input(10, 2, rng);
  PosteriorInput results;
  results.size = 4;
  results.encodings = {0.5f, 0.5f, 0.5f, 0.5f, 0.5f, 0.5f, 0.1f, 0.2f};
  for (const std::vector<double>& scores : {std::vector<double>{1, 2, 3, 4}, std::vector<double>{1, 1, 1, 1}}) {
    const auto prediction = TaskPosterior(population, results, scores).predict(population);
    for (std::size_t i = 0; i < population.size; ++i) {
      EXPECT_TRUE(std::isfinite(prediction.mean[i]));
      EXPECT_TRUE(std::isfinite(prediction.deviation[i]));
    }
  }
}

}  // namespace
}  // namespace hyperfd
