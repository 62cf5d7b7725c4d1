#include "tuner/ranker/transformation.h"

#include <algorithm>
#include <cmath>

#include <torch/torch.h>

namespace hyperfd {
namespace {

constexpr double kRidge = 1e-6;  // of the mean squared feature

}  // namespace

double transformation_loss(const torch::Tensor& z, const torch::Tensor& old_features,
                           const torch::Tensor& new_features) {
  const torch::Tensor difference =
      torch::mm(old_features.to(torch::kFloat64), z.to(torch::kFloat64).t()) - new_features.to(torch::kFloat64);
  return difference.square().sum().item<double>();
}

ClosedFormTransformation::ClosedFormTransformation(const torch::Tensor& old_features)
    : old_(old_features.to(torch::kFloat64)) {
  const torch::Tensor gram = torch::mm(old_.t(), old_);
  ridge_ = std::max(kRidge * gram.diagonal().mean().item<double>(), 1e-12);
  factor_ = torch::linalg_cholesky(gram + ridge_ * torch::eye(gram.size(0), torch::kFloat64));
}

torch::Tensor ClosedFormTransformation::fit(const torch::Tensor& new_features) const {
  // Z − I minimises Σ |(Z − I) φ_old − (φ_new − φ_old)|² + ridge · |Z − I|².
  const torch::Tensor target = torch::mm(old_.t(), new_features.to(torch::kFloat64) - old_);
  const torch::Tensor change = torch::cholesky_solve(target, factor_).t();
  return (change + torch::eye(change.size(0), torch::kFloat64)).to(torch::kFloat32);
}

SgdTransformation::SgdTransformation(const torch::Tensor& start, double learning_rate)
    : z_(start.clone()),
      first_(torch::zeros_like(start)),
      second_(torch::zeros_like(start)),
      learning_rate_(learning_rate) {}

const torch::Tensor& SgdTransformation::fit(const torch::Tensor& old_features, const torch::Tensor& new_features,
                                            int steps) {
  constexpr double kBeta1 = 0.9, kBeta2 = 0.999, kEpsilon = 1e-8;
  const torch::NoGradGuard no_grad;
  const torch::Tensor gram = torch::mm(old_features.t(), old_features);  // ∇ = 2 (Z XᵀX − YᵀX)
  const torch::Tensor cross = torch::mm(new_features.t(), old_features);
  for (int step = 0; step < steps; ++step) {
    const torch::Tensor gradient = 2 * (torch::mm(z_, gram) - cross);
    ++steps_;
    first_.mul_(kBeta1).add_(gradient, 1 - kBeta1);
    second_.mul_(kBeta2).addcmul_(gradient, gradient, 1 - kBeta2);
    const double scale = learning_rate_ * std::sqrt(1 - std::pow(kBeta2, steps_)) / (1 - std::pow(kBeta1, steps_));
    z_.addcdiv_(first_, second_.sqrt().add_(kEpsilon), -scale);
  }
  return z_;
}

}  // namespace hyperfd
