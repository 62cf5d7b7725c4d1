#include "tuner/ranker/kernel_fit.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <Eigen/Cholesky>

#include "tuner/ranker/rprop.h"

namespace hyperfd {
namespace {

// Parameters are lognormal before anything is known; these are their medians and deviations (of the logarithm).
// Relevances are shared among features, so that a usual distance is the same in a space of few and of many.
constexpr float kTotalRelevance = 1.5f, kNoise = 0.01f;
constexpr float kSpread = 1.5f;
constexpr int kSteps = 8;

// Logarithms relative to the medians: relevances, noise.
KernelParameters parameters_at(const Eigen::VectorXf& place) {
  const Eigen::Index features = place.size() - 1;
  KernelParameters parameters;
  parameters.relevance =
      place.head(features).array().exp() * (kTotalRelevance / static_cast<float>(std::max<Eigen::Index>(features, 1)));
  parameters.noise = kNoise * std::exp(place(features));
  return parameters;
}

struct Posterior {
  float value = 0;
  Eigen::VectorXf gradient;
};

Posterior log_posterior(const Eigen::MatrixXf& distances, const Eigen::VectorXf& y, const Eigen::VectorXf& place) {
  const Eigen::Index n = y.size(), features = place.size() - 1;
  const KernelParameters parameters = parameters_at(place);
  const Eigen::ArrayXf r = (5 * (distances * parameters.relevance).array()).sqrt(), decay = (-r).exp();
  const Eigen::ArrayXf shape = (1 + r + r.square() / 3) * decay;
  Eigen::MatrixXf kernel(n, n);  // the lower triangle is read
  for (Eigen::Index i = 0, pair = 0; i < n; pair += i++) {
    kernel.row(i).head(i) = kConstantVariance + shape.segment(pair, i).transpose();
    kernel(i, i) = kConstantVariance + 1 + parameters.noise;
  }
  const Eigen::LLT<Eigen::MatrixXf> factor(kernel);
  const Eigen::VectorXf solved = factor.solve(y);
  const Eigen::MatrixXf inverse = factor.solve(Eigen::MatrixXf::Identity(n, n));

  Posterior posterior;
  posterior.gradient = -place / (kSpread * kSpread);
  posterior.value =
      place.dot(posterior.gradient) / 2 - y.dot(solved) / 2 - factor.matrixLLT().diagonal().array().log().sum();
  // ∂ log likelihood / ∂ kernel, for each pair both ways.
  Eigen::ArrayXf slope(r.size());
  for (Eigen::Index i = 0, pair = 0; i < n; pair += i++) {
    slope.segment(pair, i) = solved(i) * solved.head(i).array() - inverse.col(i).head(i).array();
  }
  const float trace = solved.squaredNorm() - inverse.trace();
  // d Matérn / d squared distance = −5/6 (1 + r) e⁻ʳ
  const Eigen::VectorXf by_distance = slope * (-5.0f / 6) * (1 + r) * decay;
  posterior.gradient.head(features) += (distances.transpose() * by_distance).cwiseProduct(parameters.relevance);
  posterior.gradient(features) += parameters.noise * trace / 2;
  return posterior;
}

}  // namespace

KernelFit fit_kernel(const Eigen::MatrixXf& distances, const Eigen::VectorXf& y, float start) {
  const Eigen::Index size = distances.cols() + 1;
  Eigen::VectorXf place = Eigen::VectorXf::Zero(size);
  place.head(size - 1).setConstant(-2 * std::log(start));
  Eigen::VectorXf best = place;
  Rprop rprop(static_cast<std::size_t>(size));
  float best_value = -std::numeric_limits<float>::infinity();
  for (int i = 0; i < kSteps; ++i) {
    const Posterior at = log_posterior(distances, y, place);
    if (at.value > best_value) {
      best_value = at.value;
      best = place;
    }
    rprop.ascend(at.gradient.data(), place.data());
  }
  return {parameters_at(best), best_value};
}

}  // namespace hyperfd
