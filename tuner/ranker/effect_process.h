#pragma once

#include <cstdint>
#include <vector>

#include <torch/types.h>

namespace hyperfd {

// Results of all tasks, one after the other; all but `task` float64.
struct EffectResults {
  torch::Tensor states;   // [n, states], those of one parameter beside those of the one before
  torch::Tensor scores;   // [n]
  torch::Tensor task;     // [n], int64
  torch::Tensor numbers;  // [n, numbers], of the task

  EffectResults select(const torch::Tensor& rows) const;
  // At most so many, drawn at random, in their order.
  EffectResults some(std::int64_t most) const;
};

// The Gaussian process of EffectRegression, whose kernel stands there, for some results: how likely they make its
// parameters, and which way these get likelier. Everything is float64, and parameters are logarithms: the relevance of
// each configuration parameter, those of `Shared`, one for each group of numbers.
class EffectProcess {
 public:
  enum Shared : std::int64_t { kSingles, kPairs, kOwn, kNoise, kGroups };

  // `distances`: between the states of each parameter, squared. `means`: [groups, numbers], what a sum over the numbers
  // of a group counts them by.
  EffectProcess(EffectResults results, std::vector<torch::Tensor> distances, const torch::Tensor& means);

  struct Posterior {
    double value;            // log p(scores | parameters) + log p(parameters), up to a constant
    torch::Tensor gradient;  // by the parameters
  };
  // Parameters are log-normal before anything is known, with these logarithms of their medians.
  Posterior log_posterior(const torch::Tensor& logarithms, const torch::Tensor& medians) const;

  // kⱼ between the states of each parameter.
  std::vector<torch::Tensor> state_kernels(const torch::Tensor& logarithms) const;
  // kernel⁻¹ scores
  torch::Tensor solved(const torch::Tensor& logarithms) const;

  // What s and p are divided by.
  double singles() const;
  double pairs() const;

 private:
  // The kernel and what it is made of, each [n, n].
  struct Kernel {
    std::vector<torch::Tensor> of_parameters;   // kⱼ
    torch::Tensor sum, pairs;                   // Σⱼ kⱼ, Σ_{i<j} kᵢ kⱼ
    torch::Tensor of_configurations, of_tasks;  // factors of the first term
    torch::Tensor factor;                       // lower, of the whole kernel
  };
  Kernel kernel(const torch::Tensor& logarithms) const;

  EffectResults results_;
  torch::Tensor same_task_;                        // [n, n], 0 and 1
  std::vector<torch::Tensor> distances_, blocks_;  // of each parameter: between its states; its columns of the states
  std::vector<torch::Tensor> similar_;             // of each group: z_g(d)ᵀ z_g(d') of all pairs of results
};

}  // namespace hyperfd
