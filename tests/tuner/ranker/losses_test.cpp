#include "tuner/ranker/losses.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <torch/torch.h>

#include "tuner/base/rng.h"

namespace hyperfd {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::FloatNear;

// NDCG of results listed best first, from its definition.
double ndcg(const std::vector<double>& relevance_in_order) {
  const auto dcg = [](const std::vector<double>& relevance) {
    double sum = 0;
    for (std::size_t i = 0; i < relevance.size(); ++i) {
      sum += (std::pow(2.0, relevance[i]) - 1) / std::log2(static_cast<double>(i + 1) + 1);
    }
    return sum;
  };
  std::vector<double> ideal = relevance_in_order;
  std::sort(ideal.rbegin(), ideal.rend());
  return dcg(relevance_in_order) / dcg(ideal);
}

std::vector<double> random_numbers(std::size_t n, Rng& rng) {
  std::vector<double> numbers;
  for (std::size_t i = 0; i < n; ++i) numbers.push_back(rng.normal());
  return numbers;
}

torch::Tensor row(const std::vector<double>& values) {
  return torch::tensor(values, torch::kFloat64).unsqueeze(0);
}

torch::Tensor all_valid(std::int64_t n) {
  return torch::ones({1, n}, torch::kBool);
}

TEST(Relevances, SpreadWhatIsAboveTheQuantile) {
  // numpy.quantile([1, 2, 3, 4, 6], 0.2) = 1.8
  EXPECT_THAT(relevances({3, 1, 6, 2, 4}, 0.2, 20),
              ElementsAre(FloatNear(1.2f / 4.2f * 20, 1e-5f), 0, 20, FloatNear(0.2f / 4.2f * 20, 1e-5f),
                          FloatNear(2.2f / 4.2f * 20, 1e-5f)));
}

TEST(Relevances, TellApartScoresThatDifferBelowFloatPrecision) {
  EXPECT_THAT(relevances({0.9, 0.9 + 1e-12}, 0.2, 20), ElementsAre(0, 20));
}

TEST(Relevances, AreZeroWhenScoresTellNothingApart) {
  EXPECT_TRUE(relevances({}, 0.2, 20).empty());
  EXPECT_THAT(relevances({0.7}, 0.2, 20), ElementsAre(0));
  EXPECT_THAT(relevances({0.7, 0.7, 0.7}, 0.2, 20), Each(0));
  const double huge = std::numeric_limits<double>::max();
  EXPECT_THAT(relevances({-huge, -huge, huge, huge}, 0.2, 20), Each(0));
}

TEST(DeltaNdcg, IsWhatExchangingTwoResultsChanges) {
  Rng rng(1);
  for (const std::size_t n : {2u, 3u, 9u}) {
    const std::vector<double> predictions = random_numbers(n, rng);
    std::vector<double> relevance;
    for (std::size_t i = 0; i < n; ++i) relevance.push_back(rng.uniform(0, 5));
    const torch::Tensor delta =
        delta_ndcg(row(predictions), row(relevance), all_valid(static_cast<std::int64_t>(n))).squeeze(0);

    std::vector<std::size_t> order(n);
    for (std::size_t i = 0; i < n; ++i) order[i] = i;
    std::sort(order.begin(), order.end(),
              [&](std::size_t a, std::size_t b) { return predictions[a] > predictions[b]; });
    std::vector<double> in_order;
    for (const std::size_t i : order) in_order.push_back(relevance[i]);
    for (std::size_t a = 0; a < n; ++a) {
      for (std::size_t b = 0; b < n; ++b) {
        std::vector<double> exchanged = in_order;
        std::swap(exchanged[a], exchanged[b]);
        EXPECT_NEAR(delta[static_cast<std::int64_t>(order[a])][static_cast<std::int64_t>(order[b])].item<double>(),
                    std::abs(ndcg(exchanged) - ndcg(in_order)), 1e-5);
      }
    }
  }
}

TEST(DeltaNdcg, DoesNotSeePadding) {
  const torch::Tensor alone =
      delta_ndcg(torch::tensor({{0.1, 0.3}}), torch::tensor({{2.0, 1.0}}), torch::ones({1, 2}, torch::kBool));
  const torch::Tensor padded = delta_ndcg(torch::tensor({{0.1, 9.0, 0.3}}), torch::tensor({{2.0, 20.0, 1.0}}),
                                          torch::tensor({{true, false, true}}));
  EXPECT_GT(alone[0][0][1].item<float>(), 0);
  EXPECT_FLOAT_EQ(padded[0][0][2].item<float>(), alone[0][0][1].item<float>());
}

TEST(DeltaNdcg, StaysFiniteAtTheLargestGains) {
  const std::int64_t n = 64;
  const torch::Tensor delta = delta_ndcg(torch::arange(n).to(torch::kFloat32).unsqueeze(0), torch::full({1, n}, 20.0),
                                         torch::ones({1, n}, torch::kBool));
  EXPECT_TRUE(delta.isfinite().all().item<bool>());
  const torch::Tensor mixed = delta_ndcg(torch::arange(n).to(torch::kFloat32).unsqueeze(0),
                                         torch::linspace(20, 0, n).unsqueeze(0), torch::ones({1, n}, torch::kBool));
  EXPECT_TRUE(mixed.isfinite().all().item<bool>());
  EXPECT_LE(mixed.max().item<float>(), 1);
}

TEST(RankingLoss, WeighsEveryPairByItsDeltaNdcg) {
  const std::vector<double> predictions = {0.2, 0.5, -0.3}, relevance = {3, 1, 1};
  // Ranks 2, 1, 3 by prediction. Pairs: (0, 1) and (0, 2); results 1 and 2 are equally relevant.
  const double now = ndcg({1, 3, 1}), exchanged_01 = ndcg({3, 1, 1}), exchanged_02 = ndcg({1, 1, 3});
  const double expected = (std::abs(exchanged_01 - now) * std::log1p(std::exp(-(0.2 - 0.5))) +
                           std::abs(exchanged_02 - now) * std::log1p(std::exp(-(0.2 + 0.3)))) /
                          2;
  EXPECT_NEAR(ranking_loss(row(predictions), row(relevance), all_valid(3)).item<double>(), expected, 1e-6);
}

TEST(RankingLoss, HasTheGradientOfFiniteDifferences) {
  Rng rng(2);
  const std::vector<double> predictions = random_numbers(6, rng), relevance = {0, 4, 1, 0, 2, 2.5};
  torch::Tensor variable = row(predictions).requires_grad_();
  ranking_loss(variable, row(relevance), all_valid(6)).sum().backward();
  const double step = 1e-5;  // too small to change a rank: ΔNDCG counts as a constant
  for (std::size_t i = 0; i < predictions.size(); ++i) {
    std::vector<double> up = predictions, down = predictions;
    up[i] += step;
    down[i] -= step;
    const double slope = (ranking_loss(row(up), row(relevance), all_valid(6)).item<double>() -
                          ranking_loss(row(down), row(relevance), all_valid(6)).item<double>()) /
                         (2 * step);
    EXPECT_NEAR(variable.grad()[0][static_cast<std::int64_t>(i)].item<double>(), slope, 1e-6);
  }
}

TEST(RankingLoss, IsZeroWithoutPairsAndDoesNotSpoilOtherTasks) {
  const torch::Tensor relevance = torch::tensor({{0.0, 0.0, 0.0}, {20.0, 0.0, 5.0}, {7.0, 0.0, 0.0}});
  const torch::Tensor valid = torch::tensor({{true, true, true}, {true, true, true}, {true, false, false}});
  torch::Tensor predictions = torch::zeros({3, 3}).requires_grad_();
  const torch::Tensor loss = ranking_loss(predictions, relevance, valid);
  loss.sum().backward();
  const torch::Tensor gradient = predictions.grad();
  EXPECT_EQ(loss[0].item<float>(), 0);
  EXPECT_GT(loss[1].item<float>(), 0);
  EXPECT_EQ(loss[2].item<float>(), 0);
  EXPECT_TRUE(gradient.isfinite().all().item<bool>());
  EXPECT_EQ(gradient[0].abs().sum().item<float>(), 0);
  EXPECT_EQ(gradient[2].abs().sum().item<float>(), 0);
  EXPECT_LT(gradient[1][0].item<float>(), 0);  // descending raises the most relevant result
}

}  // namespace
}  // namespace hyperfd
