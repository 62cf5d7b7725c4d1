#include "tuner/ranker/effect_process.h"

#include <algorithm>
#include <cmath>

#include <gtest/gtest.h>
#include <torch/torch.h>

#include "tuner/base/rng.h"

namespace hyperfd {
namespace {

constexpr std::int64_t kResults = 30, kTasks = 4;

torch::Tensor normals(std::int64_t rows, std::int64_t columns, Rng& rng) {
  torch::Tensor result = torch::empty({rows, columns}, torch::kFloat64);
  for (std::int64_t i = 0; i < result.numel(); ++i) result.data_ptr<double>()[i] = rng.normal();
  return result;
}

// Choices of three and of two values; two numbers of a task in one group, a third in another.
EffectProcess process_of(Rng& rng) {
  EffectResults results;
  results.states = torch::zeros({kResults, 5}, torch::kFloat64);
  for (std::int64_t i = 0; i < kResults; ++i) {
    results.states[i][static_cast<std::int64_t>(rng.below(3))] = 1;
    results.states[i][3 + static_cast<std::int64_t>(rng.below(2))] = 1;
  }
  results.scores = normals(kResults, 1, rng).squeeze(1);
  results.task = torch::arange(kResults, torch::kInt64).remainder(kTasks);
  results.numbers = normals(kTasks, 3, rng).index_select(0, results.task);
  const torch::Tensor means = torch::tensor({0.5, 0.5, 0.0, 0.0, 0.0, 1.0}, torch::kFloat64).view({2, 3});
  return {results, {1 - torch::eye(3, torch::kFloat64), 1 - torch::eye(2, torch::kFloat64)}, means};
}

TEST(EffectProcess, GradientIsThatOfItsValue) {
  constexpr double kStep = 1e-5;
  Rng rng(1);
  const EffectProcess process = process_of(rng);
  const std::int64_t parameters = 2 + EffectProcess::kGroups + 2;
  const torch::Tensor medians = normals(1, parameters, rng).squeeze(0) / 2;
  for (int place = 0; place < 5; ++place) {
    const torch::Tensor at = normals(1, parameters, rng).squeeze(0);
    const torch::Tensor gradient = process.log_posterior(at, medians).gradient;
    ASSERT_EQ(gradient.size(0), parameters);
    for (std::int64_t i = 0; i < parameters; ++i) {
      torch::Tensor step = torch::zeros_like(at);
      step[i] = kStep;
      const double difference =
          process.log_posterior(at + step, medians).value - process.log_posterior(at - step, medians).value;
      const double expected = difference / (2 * kStep);
      EXPECT_NEAR(gradient[i].item<double>(), expected, 1e-6 * std::max(1.0, std::abs(expected))) << i;
    }
  }
}

TEST(EffectProcess, ValueIsThatOfItsScores) {
  Rng rng(2);
  const EffectProcess process = process_of(rng);
  const torch::Tensor zeros = torch::zeros({2 + EffectProcess::kGroups + 2}, torch::kFloat64);
  const torch::Tensor noisy = zeros.clone();
  noisy[2 + EffectProcess::kNoise] = 20;                              // the kernel is noise · I then
  const torch::Tensor solved = process.solved(noisy) * std::exp(20);  // scores
  const double expected = -solved.square().sum().item<double>() / (2 * std::exp(20)) - kResults * 20 / 2.0;
  EXPECT_NEAR(process.log_posterior(noisy, noisy).value, expected, 1e-4);
}

}  // namespace
}  // namespace hyperfd
