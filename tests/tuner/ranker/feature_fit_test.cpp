#include "tuner/ranker/feature_fit.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include "tuner/base/rng.h"
#include "tuner/ranker/losses.h"
#include "tuner/ranker/tensors.h"

namespace hyperfd {
namespace {

TEST(RankingLossGradient, IsThatOfTheTensorLoss) {
  Rng rng(3);
  for (const std::size_t n : {2u, 5u, 30u}) {
    std::vector<double> predictions;
    std::vector<float> relevance;
    for (std::size_t i = 0; i < n; ++i) {
      predictions.push_back(rng.normal());
      relevance.push_back(static_cast<float>(rng.below(4)) * 3);
    }
    predictions[0] = predictions[1];  // equal predictions rank in the given order in both
    torch::Tensor variable = torch::tensor(predictions, torch::kFloat64).unsqueeze(0).requires_grad_();
    ranking_loss(variable, torch::tensor(relevance).unsqueeze(0),
                 torch::ones({1, static_cast<std::int64_t>(n)}, torch::kBool))
        .sum()
        .backward();
    const std::vector<double> gradient = ranking_loss_gradient(predictions, relevance);
    for (std::size_t i = 0; i < n; ++i) {
      EXPECT_NEAR(gradient[i], variable.grad()[0][static_cast<std::int64_t>(i)].item<double>(), 1e-6);
    }
  }
}

TEST(FitFeature, TurnsTowardsTheTasksOwnOrder) {
  Rng rng(4);
  const torch::Tensor embeddings = uniform_tensor({4, 16}, 1, rng);
  const torch::Tensor mean = uniform_tensor({16}, 0.1, rng);
  const std::vector<float> relevance = {0, 20, 5, 10};
  const torch::Tensor scores = torch::mv(embeddings, fit_feature(mean, embeddings, relevance, {}));
  EXPECT_EQ(scores.argmax().item<std::int64_t>(), 1);
}

TEST(FitFeature, StaysAtTheMeanWhenResultsTellNothing) {
  const torch::Tensor mean = torch::linspace(-1, 1, 8);
  EXPECT_TRUE(fit_feature(mean, torch::zeros({0, 8}), {}, {}).equal(mean));
  EXPECT_TRUE(fit_feature(mean, torch::ones({2, 8}), {0, 0}, {}).equal(mean));
}

TEST(FitFeature, StaysNearerToTheMeanUnderAHeavierPenalty) {
  Rng rng(5);
  const torch::Tensor embeddings = uniform_tensor({4, 16}, 1, rng);
  const torch::Tensor mean = uniform_tensor({16}, 0.1, rng);
  RankerOptions loose, tight;
  loose.fit_penalty = 1e-3;
  tight.fit_penalty = 10;
  const auto distance = [&](const RankerOptions& options) {
    return (fit_feature(mean, embeddings, {0, 20, 5, 10}, options) - mean).norm().item<double>();
  };
  EXPECT_GT(distance(tight), 0);
  EXPECT_LT(distance(tight), distance(loose) / 2);
}

}  // namespace
}  // namespace hyperfd
