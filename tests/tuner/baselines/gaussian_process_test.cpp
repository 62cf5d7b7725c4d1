#include "tuner/baselines/gaussian_process.h"

#include <cmath>
#include <gtest/gtest.h>

#include "tests/tuner/baselines/golden.h"
#include "tuner/ranker/task_posterior.h"

namespace hyperfd {
namespace {

Eigen::MatrixXd matrix(const Json& rows) {
  Eigen::MatrixXd m(static_cast<Eigen::Index>(rows.size()), static_cast<Eigen::Index>(rows[0].size()));
  for (Eigen::Index i = 0; i < m.rows(); ++i) {
    for (Eigen::Index j = 0; j < m.cols(); ++j) {
      m(i, j) = rows[static_cast<std::size_t>(i)][static_cast<std::size_t>(j)].get<double>();
    }
  }
  return m;
}

Eigen::VectorXd vector(const Json& values) {
  const Numbers numbers = values;
  return Eigen::Map<const Eigen::VectorXd>(numbers.data(), static_cast<Eigen::Index>(numbers.size()));
}

class GaussianProcessTest : public ::testing::Test {
 protected:
  const Json golden_ = golden("gaussian_process");
  const Eigen::MatrixXd inputs_ = matrix(golden_["inputs"]), points_ = matrix(golden_["points"]);
  const Eigen::VectorXd targets_ = vector(golden_["targets"]);
  const std::vector<Eigen::Index> blocks_ = {2, 1};
  const GaussianProcess process_{
      inputs_, targets_, blocks_, {golden_["variance"], golden_["noise"], golden_["lengths"]}};
};

TEST_F(GaussianProcessTest, AgreesWithScikitLearn) {
  EXPECT_NEAR(process_.log_marginal_likelihood(), golden_["log_marginal_likelihood"].get<double>(), 1e-9);
  const auto prediction = process_.predict(points_);
  const Eigen::MatrixXd covariance = matrix(golden_["covariance"]);
  EXPECT_TRUE(prediction.mean.isApprox(vector(golden_["mean"]), 1e-9));
  EXPECT_TRUE(process_.covariance(points_).isApprox(covariance, 1e-8));
  EXPECT_TRUE(prediction.variance.isApprox(covariance.diagonal(), 1e-8));
}

TEST_F(GaussianProcessTest, LeavesOneOutAsIfFittedWithoutIt) {
  const auto left_out = process_.leave_one_out();
  const Eigen::MatrixXd expected = matrix(golden_["left_out"]);
  EXPECT_TRUE(left_out.mean.isApprox(expected.col(0), 1e-8));
  EXPECT_TRUE(left_out.variance.isApprox(expected.col(1), 1e-8));
}

TEST_F(GaussianProcessTest, FitComesNearTheOptimumOfTheLogPosterior) {
  const double fitted = GaussianProcess::fit(inputs_, targets_, blocks_).log_posterior();
  EXPECT_LE(fitted, golden_["best_log_posterior"].get<double>() + 1e-6);
  EXPECT_GE(fitted, golden_["best_log_posterior"].get<double>() - 0.02);
}

TEST_F(GaussianProcessTest, IsThePriorWithoutObservations) {
  const auto process = GaussianProcess::fit(Eigen::MatrixXd(0, 3), Eigen::VectorXd(0), blocks_);
  const auto prediction = process.predict(points_);
  EXPECT_EQ(prediction.mean, Eigen::VectorXd::Zero(4));
  EXPECT_EQ(prediction.variance, Eigen::VectorXd::Ones(4));
  EXPECT_EQ(process.leave_one_out().mean.size(), 0);
}

TEST_F(GaussianProcessTest, TakesTheSameInputTwiceWithDifferentTargets) {
  Eigen::MatrixXd twice(4, 3);
  twice << inputs_.row(0), inputs_.row(0), inputs_.row(1), inputs_.row(1);
  const auto process = GaussianProcess::fit(twice, Eigen::Vector4d(1, -1, 1, -1), blocks_);
  const auto prediction = process.predict(points_);
  EXPECT_TRUE(prediction.mean.allFinite());
  EXPECT_LT(prediction.mean.cwiseAbs().maxCoeff(), 1e-6);
  EXPECT_GE(prediction.variance.minCoeff(), 0);
}

TEST(ExpectedImprovement, IsTheIntegral) {
  for (const Json& one : golden("expected_improvement")) {
    EXPECT_NEAR(expected_improvement(one[0], std::sqrt(one[1].get<double>()), one[2]), one[3].get<double>(), 1e-7) << one;
  }
  EXPECT_EQ(expected_improvement(2, 0, 1), 1);
  EXPECT_EQ(expected_improvement(1, 0, 2), 0);
}

}  // namespace
}  // namespace hyperfd
