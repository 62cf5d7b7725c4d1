#pragma once

#include <vector>

#include <torch/types.h>

namespace hyperfd {

// Synaptic intelligence (Zenke et al. 2017; Eqs. 8–10) over a list of weights: what mattered to past updates is held
// where it is. One object accompanies one update. All lists have the shapes of `weights`; no gradients are recorded.
class SynapticIntelligence {
 public:
  // `importance` is Ω of the updates so far, an empty list before the first; the weights now are the reference θ⁽ᵗ⁻¹⁾.
  SynapticIntelligence(const std::vector<torch::Tensor>& weights, std::vector<torch::Tensor> importance);

  // Eq. 8, accumulated: `gradient` is ∂L_unreg/∂θ at today's weights, which the step before led to. Call it once an
  // iteration, before its step, and once after the last.
  void observe(const std::vector<torch::Tensor>& weights, const std::vector<torch::Tensor>& gradient);

  // Eq. 10, Σ Ω (θ − θ⁽ᵗ⁻¹⁾)², and its derivative.
  double penalty(const std::vector<torch::Tensor>& weights) const;
  std::vector<torch::Tensor> penalty_gradient(const std::vector<torch::Tensor>& weights) const;

  // Eq. 9: Ω with this update's part, max(ω, 0) / ((θ⁽ᵗ⁾ − θ⁽ᵗ⁻¹⁾)² + damping). A weight whose moves raised the loss
  // (ω < 0) has no importance, rather than a penalty that would push it away.
  std::vector<torch::Tensor> finish(const std::vector<torch::Tensor>& weights, double damping) const;

 private:
  std::vector<torch::Tensor> reference_, importance_, contribution_, last_;
};

}  // namespace hyperfd
