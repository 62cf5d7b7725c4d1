#include "tuner/ranker/synaptic_intelligence.h"

#include <utility>

#include <torch/torch.h>

namespace hyperfd {
namespace {

std::vector<torch::Tensor> copies(const std::vector<torch::Tensor>& tensors) {
  std::vector<torch::Tensor> result;
  for (const torch::Tensor& tensor : tensors) result.push_back(tensor.detach().clone());
  return result;
}

}  // namespace

SynapticIntelligence::SynapticIntelligence(const std::vector<torch::Tensor>& weights,
                                           std::vector<torch::Tensor> importance)
    : reference_(copies(weights)), importance_(std::move(importance)), last_(copies(weights)) {
  for (const torch::Tensor& tensor : reference_) contribution_.push_back(torch::zeros_like(tensor));
  if (importance_.empty()) importance_ = copies(contribution_);
}

void SynapticIntelligence::observe(const std::vector<torch::Tensor>& weights,
                                   const std::vector<torch::Tensor>& gradient) {
  const torch::NoGradGuard no_grad;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    contribution_[i] -= (weights[i] - last_[i]) * gradient[i];
    last_[i].copy_(weights[i]);
  }
}

double SynapticIntelligence::penalty(const std::vector<torch::Tensor>& weights) const {
  const torch::NoGradGuard no_grad;
  double sum = 0;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    sum += (importance_[i] * (weights[i] - reference_[i]).square()).sum().item<double>();
  }
  return sum;
}

std::vector<torch::Tensor> SynapticIntelligence::penalty_gradient(const std::vector<torch::Tensor>& weights) const {
  const torch::NoGradGuard no_grad;
  std::vector<torch::Tensor> gradient;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    gradient.push_back(2 * importance_[i] * (weights[i] - reference_[i]));
  }
  return gradient;
}

std::vector<torch::Tensor> SynapticIntelligence::finish(const std::vector<torch::Tensor>& weights,
                                                        double damping) const {
  const torch::NoGradGuard no_grad;
  std::vector<torch::Tensor> total;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    total.push_back(importance_[i] + contribution_[i].clamp_min(0) / ((weights[i] - reference_[i]).square() + damping));
  }
  return total;
}

}  // namespace hyperfd
