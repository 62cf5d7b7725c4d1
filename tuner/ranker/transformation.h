#pragma once

#include <vector>

#include <torch/types.h>

namespace hyperfd {

// Z⁽ᵗ⁾ (Eq. 4): the linear map that takes meta-features of an old extractor to today's, fitted to reference data sets
// seen through both. old_features, new_features: [sets, units] float32, a row a set; Z: [units, units], Z φ_old ≈
// φ_new.

// Σ over sets of |Z φ_old − φ_new|².
double transformation_loss(const torch::Tensor& z, const torch::Tensor& old_features,
                           const torch::Tensor& new_features);

// The minimiser of Eq. 4, exactly: ridge least squares towards the identity, with a ridge that only decides what the
// sets do not. The factorisation depends on the old features alone, so one serves a whole update.
class ClosedFormTransformation {
 public:
  explicit ClosedFormTransformation(const torch::Tensor& old_features);
  torch::Tensor fit(const torch::Tensor& new_features) const;

 private:
  torch::Tensor old_;     // [sets, units], float64
  torch::Tensor factor_;  // of oldᵀ old + ridge · I, lower triangular
  double ridge_;
};

// Algorithm 1's way: each call is some Adam steps from where the last one ended, the identity at first.
class SgdTransformation {
 public:
  SgdTransformation(const torch::Tensor& start, double learning_rate);
  const torch::Tensor& fit(const torch::Tensor& old_features, const torch::Tensor& new_features, int steps);

 private:
  torch::Tensor z_, first_, second_;
  double learning_rate_;
  int steps_ = 0;
};

}  // namespace hyperfd
