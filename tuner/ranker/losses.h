#pragma once

#include <vector>

#include <torch/types.h>

#include "tuner/ranker/ranker_options.h"

namespace hyperfd {

// Relevance of every result of one task, in [0, scale]: clip((score − q) / (max − q), 0, 1) · scale, q the quantile of
// the scores (linear between neighbours, as numpy's). All zero when nothing is told apart: all scores are equal, or so
// far apart that their difference is not a number. `scores` are finite.
std::vector<float> relevances(const std::vector<double>& scores, double quantile, double scale);

// Shapes below: tasks are padded to one length, [tasks, results]; `valid` (bool) is false for padding. Pairs are
// [tasks, i, j]. "Higher is better" throughout.

// |ΔNDCG| of exchanging results i and j in the ranking by `predictions`, [tasks, results, results] float32, symmetric:
// |gain_i − gain_j| · |discount_i − discount_j| / ideal DCG, gain = 2^relevance − 1, discount = 1 / log2(1 + rank),
// rank from 1; equal predictions rank in the given order. Zero for padding and for tasks without relevance. No
// gradient.
torch::Tensor delta_ndcg(const torch::Tensor& predictions, const torch::Tensor& relevance, const torch::Tensor& valid);

// Eq. 6 for every task, [tasks] float32: the mean over pairs with relevance_i > relevance_j of
// −ΔNDCG · log σ(prediction_i − prediction_j). Positions in ΔNDCG are those by prediction, or with kLabel (the AceNAS
// variant) by relevance, ascending: the least relevant result has rank 1. Zero, with zero gradient, for a task without
// such pairs.
torch::Tensor ranking_loss(const torch::Tensor& predictions, const torch::Tensor& relevance, const torch::Tensor& valid,
                           RankBy rank_by = RankBy::kPrediction);

// The same with ΔNDCG = 1 (RankNet), and the mean squared difference of prediction and relevance / scale.
torch::Tensor pairwise_loss(const torch::Tensor& predictions, const torch::Tensor& relevance,
                            const torch::Tensor& valid);
torch::Tensor squared_loss(const torch::Tensor& predictions, const torch::Tensor& relevance, const torch::Tensor& valid,
                           double scale);

// Which of them options.loss says.
torch::Tensor task_losses(const torch::Tensor& predictions, const torch::Tensor& relevance, const torch::Tensor& valid,
                          const RankerOptions& options);

// Eq. 7, the mean over ordered pairs (i, j), i ≠ j, i < `live`, of max(|φ_i − φ~_i|² − |φ_i − φ_j|² + margin, 0); zero
// without such pairs. features: [n, units], the first `live` rows are of data sets that can be asked; twins: [live,
// units], φ~ of these.
torch::Tensor triplet_loss(const torch::Tensor& features, const torch::Tensor& twins, double margin);

}  // namespace hyperfd
