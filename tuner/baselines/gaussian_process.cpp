#include "tuner/baselines/gaussian_process.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace hyperfd {
namespace {

constexpr double kPi = 3.14159265358979323846;
constexpr double kMedianVariance = 1, kMedianNoise = 0.1, kMedianLength = 1;
// Of the search: e^±4 around the medians, from steps of a factor e down to a tenth of that.
constexpr double kBound = 4, kFirstStep = 1, kLastStep = 0.1;

double matern52(double squared_distance) {
  const double r = std::sqrt(5 * squared_distance);
  return (1 + r + r * r / 3) * std::exp(-r);
}

// Squared distances between rows of the columns [first, first + size).
Eigen::MatrixXd squared_distances(const Eigen::MatrixXd& a, const Eigen::MatrixXd& b, Eigen::Index first,
                                  Eigen::Index size) {
  const auto x = a.middleCols(first, size), y = b.middleCols(first, size);
  Eigen::MatrixXd distances = -2 * x * y.transpose();
  distances.colwise() += x.rowwise().squaredNorm();
  distances.rowwise() += y.rowwise().squaredNorm().transpose();
  return distances.cwiseMax(0);
}

std::vector<Eigen::MatrixXd> block_distances(const Eigen::MatrixXd& a, const Eigen::MatrixXd& b,
                                             const std::vector<Eigen::Index>& blocks) {
  std::vector<Eigen::MatrixXd> distances;
  Eigen::Index first = 0;
  for (const Eigen::Index size : blocks) {
    distances.push_back(squared_distances(a, b, first, size));
    first += size;
  }
  return distances;
}

Eigen::MatrixXd kernel_of(const std::vector<Eigen::MatrixXd>& distances, const GaussianProcessParameters& parameters) {
  Eigen::MatrixXd sum = distances[0] / (parameters.lengths[0] * parameters.lengths[0]);
  for (std::size_t b = 1; b < distances.size(); ++b) {
    sum += distances[b] / (parameters.lengths[b] * parameters.lengths[b]);
  }
  return parameters.variance * sum.unaryExpr(&matern52);
}

Eigen::LLT<Eigen::MatrixXd> factorise(Eigen::MatrixXd kernel, double noise) {
  kernel.diagonal().array() += noise;
  return kernel.llt();
}

double log_likelihood(const Eigen::LLT<Eigen::MatrixXd>& factor, const Eigen::VectorXd& targets,
                      const Eigen::VectorXd& weights) {
  const double log_determinant = 2 * factor.matrixLLT().diagonal().array().log().sum();
  return -0.5 * (targets.dot(weights) + log_determinant + static_cast<double>(targets.size()) * std::log(2 * kPi));
}

double log_prior(const GaussianProcessParameters& parameters) {
  const auto density = [](double value, double median) { return -0.5 * std::pow(std::log(value / median), 2); };
  double sum = density(parameters.variance, kMedianVariance) + density(parameters.noise, kMedianNoise);
  for (const double length : parameters.lengths) sum += density(length, kMedianLength);
  return sum;
}

// In logarithms relative to the medians.
GaussianProcessParameters at(const std::vector<double>& place) {
  GaussianProcessParameters parameters;
  parameters.variance = kMedianVariance * std::exp(place[0]);
  parameters.noise = kMedianNoise * std::exp(place[1]);
  for (std::size_t i = 2; i < place.size(); ++i) parameters.lengths.push_back(kMedianLength * std::exp(place[i]));
  return parameters;
}

}  // namespace

GaussianProcess::GaussianProcess(Eigen::MatrixXd inputs, Eigen::VectorXd targets, std::vector<Eigen::Index> blocks,
                                 GaussianProcessParameters parameters)
    : inputs_(std::move(inputs)),
      targets_(std::move(targets)),
      blocks_(std::move(blocks)),
      parameters_(std::move(parameters)) {
  if (inputs_.rows() == 0) return;
  factor_ = factorise(kernel(inputs_, inputs_), parameters_.noise);
  weights_ = factor_.solve(targets_);
}

GaussianProcessParameters GaussianProcess::default_parameters(std::size_t blocks) {
  return at(std::vector<double>(2 + blocks, 0.0));
}

GaussianProcess GaussianProcess::fit(Eigen::MatrixXd inputs, Eigen::VectorXd targets,
                                     std::vector<Eigen::Index> blocks) {
  std::vector<double> best(2 + blocks.size(), 0.0);
  if (inputs.rows() > 0) {
    const std::vector<Eigen::MatrixXd> distances = block_distances(inputs, inputs, blocks);
    const auto value_at = [&](const std::vector<double>& place) {
      const GaussianProcessParameters parameters = at(place);
      const auto factor = factorise(kernel_of(distances, parameters), parameters.noise);
      return log_likelihood(factor, targets, factor.solve(targets)) + log_prior(parameters);
    };
    double best_value = value_at(best);
    for (double step = kFirstStep; step >= kLastStep;) {
      bool improved = false;
      for (double& coordinate : best) {
        const double before = coordinate;
        for (const double direction : {step, -step}) {
          coordinate = std::clamp(before + direction, -kBound, kBound);
          const double value = coordinate == before ? best_value : value_at(best);
          if (value > best_value) {
            best_value = value;
            improved = true;
            break;
          }
          coordinate = before;
        }
      }
      if (!improved) step /= 2;
    }
  }
  return GaussianProcess(std::move(inputs), std::move(targets), std::move(blocks), at(best));
}

Eigen::MatrixXd GaussianProcess::kernel(const Eigen::MatrixXd& a, const Eigen::MatrixXd& b) const {
  return kernel_of(block_distances(a, b, blocks_), parameters_);
}

GaussianProcess::Prediction GaussianProcess::predict(const Eigen::MatrixXd& points) const {
  Prediction prediction;
  prediction.variance = Eigen::VectorXd::Constant(points.rows(), parameters_.variance);
  if (inputs_.rows() == 0) {
    prediction.mean = Eigen::VectorXd::Zero(points.rows());
    return prediction;
  }
  const Eigen::MatrixXd cross = kernel(inputs_, points);
  prediction.mean = cross.transpose() * weights_;
  const Eigen::MatrixXd half = factor_.matrixL().solve(cross);
  prediction.variance -= half.colwise().squaredNorm().transpose();
  prediction.variance = prediction.variance.cwiseMax(0);
  return prediction;
}

Eigen::MatrixXd GaussianProcess::covariance(const Eigen::MatrixXd& points) const {
  Eigen::MatrixXd covariance = kernel(points, points);
  if (inputs_.rows() == 0) return covariance;
  const Eigen::MatrixXd half = factor_.matrixL().solve(kernel(inputs_, points));
  return covariance - half.transpose() * half;
}

GaussianProcess::Prediction GaussianProcess::leave_one_out() const {
  const Eigen::Index n = inputs_.rows();
  if (n == 0) return {};
  const Eigen::VectorXd precision = factor_.solve(Eigen::MatrixXd::Identity(n, n)).diagonal();
  return {targets_ - weights_.cwiseQuotient(precision), precision.cwiseInverse()};
}

double GaussianProcess::log_marginal_likelihood() const {
  return inputs_.rows() == 0 ? 0 : log_likelihood(factor_, targets_, weights_);
}

double GaussianProcess::log_posterior() const {
  return log_marginal_likelihood() + log_prior(parameters_);
}

}  // namespace hyperfd
