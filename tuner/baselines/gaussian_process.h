#pragma once

#include <vector>

#include <Eigen/Dense>

namespace hyperfd {

// Columns of the inputs come in blocks that share a length scale, e.g. {configuration, statistics}.
// k(x, x') = variance · Matérn-5/2(r), r² = Σ |x_b − x'_b|² / length_b² over the blocks b; observations have noise.
struct GaussianProcessParameters {
  double variance = 1;
  double noise = 0.1;  // variance of the noise
  std::vector<double> lengths;
};

// Regression with a zero prior mean, for targets of mean ~0 and variance ~1 (Rasmussen & Williams, algorithm 2.1).
// Immutable. n rows cost O(n³) to condition on, and each point of a prediction O(n²).
class GaussianProcess {
 public:
  struct Prediction {
    Eigen::VectorXd mean, variance;  // of the function without noise
  };

  // `blocks`: sizes, which add up to the columns of `inputs`. `inputs` may have no rows: predictions are the prior.
  GaussianProcess(Eigen::MatrixXd inputs, Eigen::VectorXd targets, std::vector<Eigen::Index> blocks,
                  GaussianProcessParameters parameters);

  // Parameters of maximum posterior: marginal likelihood times weak log-normal priors (medians 1 for the variance, 0.1
  // for the noise, 1 for lengths, a factor e being one standard deviation), found by a pattern search.
  static GaussianProcess fit(Eigen::MatrixXd inputs, Eigen::VectorXd targets, std::vector<Eigen::Index> blocks);
  static GaussianProcessParameters default_parameters(std::size_t blocks);

  Prediction predict(const Eigen::MatrixXd& points) const;
  // Covariance of the function at `points`, given the observations.
  Eigen::MatrixXd covariance(const Eigen::MatrixXd& points) const;
  // What the observations other than the i-th say of the i-th, noise included (Rasmussen & Williams, 5.12).
  Prediction leave_one_out() const;

  double log_marginal_likelihood() const;
  // log_marginal_likelihood() plus the priors' log density, up to a constant: what fit() maximises.
  double log_posterior() const;
  const GaussianProcessParameters& parameters() const { return parameters_; }

 private:
  Eigen::MatrixXd kernel(const Eigen::MatrixXd& a, const Eigen::MatrixXd& b) const;

  Eigen::MatrixXd inputs_;
  Eigen::VectorXd targets_;
  std::vector<Eigen::Index> blocks_;
  GaussianProcessParameters parameters_;
  Eigen::LLT<Eigen::MatrixXd> factor_;  // of the kernel matrix with noise
  Eigen::VectorXd weights_;             // its inverse times the targets
};

}  // namespace hyperfd
