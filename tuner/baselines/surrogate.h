#pragma once

#include <memory>
#include <vector>

#include "tuner/baselines/gaussian_process.h"
#include "tuner/platform/past_experience.h"

namespace hyperfd {

// What the Gaussian processes of this folder learn: ranks, since the scores of a task have any scale and broken trials
// are far off. The quantile of the standard normal distribution at ((1 − rank)(n − 1) + ½) / n for relative ranks of n
// results: high is good, mean ~0.
std::vector<double> normal_scores_of_ranks(const std::vector<double>& relative_ranks);

Eigen::MatrixXd as_matrix(const std::vector<std::vector<float>>& rows);
Eigen::VectorXd as_vector(const std::vector<double>& values);

// Indices of at most `limit` (2 or more) results, evenly spaced over their ranking from the best to the worst; all of
// them, in their order, when there are no more.
std::vector<std::size_t> spread_over_ranking(const std::vector<double>& relative_ranks, std::size_t limit);

// Gaussian process from encodings to normal scores of a task, fitted once. Of more than 250 results, 250.
std::shared_ptr<const GaussianProcess> surrogate_of(const PastTask& task);

// The same of a task that goes on. Fewer than 5 results say nothing of the parameters, which then are the default.
GaussianProcess make_surrogate(const std::vector<std::vector<float>>& encodings,
                               const std::vector<double>& relative_ranks);

}  // namespace hyperfd
