#pragma once

#include <vector>

#include <torch/types.h>

#include "tuner/ranker/ranker_options.h"

namespace hyperfd {

// φ of a task from its own results, H frozen: minimises the ranking loss (Eq. 6) + options.fit_penalty · |φ − mean|²,
// starting at `mean`. `embeddings` [n, units] is H of the results' configurations, `relevance` has n elements; float32.
// [units]; `mean` itself when the results tell nothing apart.
torch::Tensor fit_feature(const torch::Tensor& mean, const torch::Tensor& embeddings,
                          const std::vector<float>& relevance, const RankerOptions& options);

// Derivative of losses.h's ranking_loss() for one task by its predictions. In plain loops: a suggestion needs dozens of
// these on a handful of numbers, where a tensor library spends a hundred times the arithmetic on overhead.
std::vector<double> ranking_loss_gradient(const std::vector<double>& predictions, const std::vector<float>& relevance);

}  // namespace hyperfd
