#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <torch/types.h>

#include "tuner/ranker/encoded_configuration.h"
#include "tuner/space/encoding_column.h"

namespace hyperfd {

// The results of one task, for EffectRegression::fitted().
struct EffectTask {
  const std::vector<EncodedConfiguration>& configurations;
  const std::vector<double>& scores;  // as many
  torch::Tensor numbers;              // that describe the task, standardised; zeros where they are not known
};

// What single parameters and pairs of them do to how good a configuration is, and how that changes with the numbers
// that describe a task. Linear in what it learns, which is therefore found at once and exactly, without random numbers:
//
//   E(c, d) = Σ_k z_k(d) (w_kᵀ b(c) + ½ b(c)ᵀ P_k b(c)),   z(d) = (1, numbers of d)
//
// b(c) are the states of c's parameters: a 1 for the value of each choice, nine weights of which two neighbours are not
// zero for each number, zeros for what is not active; P_k is zero where both belong to one parameter. This is
// φ_dᵀ H(c) with a φ that is known and an H that is learned. w and P are the posterior mean of a Gaussian process,
//
//   k = (s Σⱼ kⱼ + p Σ_{i<j} kᵢ kⱼ)(c, c') · (1 + Σ_g λ_g z_g(d)ᵀ z_g(d') + own [d = d']) + level [d = d'] + noise,
//
// with kⱼ a Matérn-5/2 between the states of parameter j, which has a relevance of its own, and numbers in groups g
// that share a weight. All of these are fitted by their marginal likelihood, the largest with log-normal priors.
class EffectRegression {
 public:
  // A parameter's columns of an encoding: the one-hot of a choice, or a single number.
  struct Parameter {
    std::int64_t column, columns;
    std::int64_t mask;  // column that is 1 where it is active; −1: always
  };

  // Knows nothing: E is zero. Throws InputError for parameters that do not fit the width.
  EffectRegression(std::vector<Parameter> parameters, std::int64_t width, std::int64_t numbers = 0,
                   std::int64_t groups = 0);
  static std::vector<Parameter> parameters_of(const EncodingColumns& columns);
  static std::int64_t states_of(const std::vector<Parameter>& parameters);

  // What the tasks that tell configurations apart say; this one if there are none. Starts from what this one was fitted
  // to, where that has as many groups. Beyond 2,000 results so many are drawn, and more than 64 numbers are not
  // read, which bounds what it costs. `groups`: of each number, counted from 0. Throws InputError for encodings of
  // another width.
  EffectRegression fitted(const std::vector<EffectTask>& tasks, const std::vector<std::int64_t>& groups) const;

  // E of n encodings of width() numbers each, in units of a usual task's standard deviation. Another count of numbers
  // than numbers() counts as not known.
  std::vector<float> scores(const float* encodings, std::size_t n, const torch::Tensor& numbers) const;

  const std::vector<Parameter>& parameters() const { return parameters_; }
  std::int64_t width() const { return width_; }
  std::int64_t numbers() const { return linear_.size(0) - 1; }
  std::int64_t groups() const;
  // Those that are stored: fitted logarithms, w, P.
  std::vector<torch::Tensor> tensors() const { return {logarithms_, linear_, pairs_}; }
  EffectRegression clone() const;

 private:
  std::int64_t states() const { return linear_.size(1); }
  // [n, states]
  torch::Tensor states_of(const float* encodings, std::int64_t n) const;

  std::vector<Parameter> parameters_;
  std::int64_t width_;        // of an encoding
  torch::Tensor logarithms_;  // of relevances [parameters], s, p, own, noise, λ [groups]
  torch::Tensor linear_;      // w: [1 + numbers, states]
  torch::Tensor pairs_;       // P: [1 + numbers, states, states]
};

// Which numbers belong together: those whose names begin with the same word, all if they have no names.
std::vector<std::int64_t> groups_by_name(const std::vector<std::string>& names, std::int64_t count);

}  // namespace hyperfd
