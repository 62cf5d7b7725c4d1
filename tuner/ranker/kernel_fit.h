#pragma once

#include <Eigen/Core>

namespace hyperfd {

// What a Gaussian process over configurations is made of: constant + Matérn-5/2 of a distance that is a sum
// over features, each with a relevance of its own, plus noise.
struct KernelParameters {
  Eigen::VectorXf relevance;  // [features], inverse squared lengths
  float noise = 0;
};

constexpr float kConstantVariance = 0.3f;

// Matérn-5/2 of squared distances that count relevances.
template <typename Derived>
Eigen::ArrayXXf matern(const Eigen::ArrayBase<Derived>& squared_distances) {
  const Eigen::ArrayXXf r = (5 * squared_distances.max(0)).sqrt();
  return (1 + r + r.square() / 3) * (-r).exp();
}

struct KernelFit {
  KernelParameters parameters;
  float log_posterior = 0;  // of the parameters, up to a constant
};

// The parameters that are likeliest after `y`: gradient ascent, a few steps from lengths that are `start` times the
// usual. `distances`: squared, by feature, of the pairs (1, 0), (2, 0), (2, 1), …: [n(n − 1)/2, features], scaled so
// that a random pair has 1 in each feature. `y`: [n], standardised. Deterministic.
KernelFit fit_kernel(const Eigen::MatrixXf& distances, const Eigen::VectorXf& y, float start);

}  // namespace hyperfd
