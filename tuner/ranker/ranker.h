#pragma once

#include <string>
#include <vector>

#include <torch/types.h>

#include "tuner/ranker/config_encoder.h"
#include "tuner/ranker/ranker_options.h"

namespace hyperfd {

// F(c, d) = φᵀ H(c) with a learned φ for every task: mean φ plus the task's deviation. The weights and nothing else;
// learner.h trains them.
struct Ranker {
  // Random encoder and mean φ, no tasks.
  Ranker(std::int64_t inputs, std::int64_t units, Rng& rng);

  std::int64_t inputs() const { return encoder.parameters().front().size(1); }
  std::int64_t units() const { return mean_feature.size(0); }
  // All weights: encoder, mean_feature, deviations.
  std::vector<torch::Tensor> parameters() const;
  // With weights of its own.
  Ranker clone() const;

  MlpEncoder encoder;
  torch::Tensor mean_feature;      // [units]
  std::vector<std::string> tasks;  // distinct
  torch::Tensor deviations;        // [tasks, units]

  // Adds tasks that are not known yet, with a deviation of zero. Indices of `names` in `tasks`.
  std::vector<std::int64_t> find_or_add(const std::vector<std::string>& names);
};

}  // namespace hyperfd
