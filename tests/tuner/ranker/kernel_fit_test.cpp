#include "tuner/ranker/kernel_fit.h"

#include <gtest/gtest.h>

#include "tuner/base/rng.h"

namespace hyperfd {
namespace {

TEST(KernelFit, FindsWhatMattersAndHowNoisyItIs) {
  Rng rng(1);
  constexpr Eigen::Index kResults = 40, kFeatures = 4;
  Eigen::MatrixXf x(kResults, kFeatures);
  for (Eigen::Index i = 0; i < x.size(); ++i) x(i) = static_cast<float>(rng.uniform());
  Eigen::MatrixXf distances(kResults * (kResults - 1) / 2, kFeatures);
  for (Eigen::Index i = 0, pair = 0; i < kResults; ++i) {
    for (Eigen::Index j = 0; j < i; ++j) distances.row(pair++) = 6 * (x.row(i) - x.row(j)).array().square();
  }
  Eigen::VectorXf exact = (6 * x.col(2).array()).sin(), noisy = exact;
  for (float& value : noisy) value += static_cast<float>(rng.normal());
  const KernelFit fit = fit_kernel(distances, exact, 1), of_noisy = fit_kernel(distances, noisy, 1);
  for (const Eigen::Index other : {0, 1, 3}) {
    EXPECT_GT(fit.parameters.relevance(2), 5 * fit.parameters.relevance(other));
  }
  EXPECT_GT(of_noisy.parameters.noise, 10 * fit.parameters.noise);
  EXPECT_GT(fit.log_posterior, of_noisy.log_posterior);
}

TEST(KernelFit, IsWhatIsUsualWithoutResults) {
  const KernelFit fit = fit_kernel(Eigen::MatrixXf(0, 3), Eigen::VectorXf(0), 1);
  for (const float relevance : fit.parameters.relevance) EXPECT_FLOAT_EQ(relevance, 0.5f);
  EXPECT_FLOAT_EQ(fit_kernel(Eigen::MatrixXf(0, 3), Eigen::VectorXf(0), 0.5f).parameters.noise, fit.parameters.noise);
}

}  // namespace
}  // namespace hyperfd
