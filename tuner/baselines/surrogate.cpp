#include "tuner/baselines/surrogate.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include <boost/math/distributions/normal.hpp>

namespace hyperfd {
namespace {

constexpr std::size_t kMaxResults = 250, kFitFrom = 5;

}  // namespace

std::vector<double> normal_scores_of_ranks(const std::vector<double>& relative_ranks) {
  const auto n = static_cast<double>(relative_ranks.size());
  const boost::math::normal standard;
  std::vector<double> scores;
  for (const double rank : relative_ranks) {
    scores.push_back(boost::math::quantile(standard, ((1 - rank) * (n - 1) + 0.5) / n));
  }
  return scores;
}

Eigen::MatrixXd as_matrix(const std::vector<std::vector<float>>& rows) {
  Eigen::MatrixXd matrix(static_cast<Eigen::Index>(rows.size()),
                         static_cast<Eigen::Index>(rows.empty() ? 0 : rows[0].size()));
  for (Eigen::Index i = 0; i < matrix.rows(); ++i) {
    const std::vector<float>& row = rows[static_cast<std::size_t>(i)];
    for (Eigen::Index j = 0; j < matrix.cols(); ++j) matrix(i, j) = row[static_cast<std::size_t>(j)];
  }
  return matrix;
}

Eigen::VectorXd as_vector(const std::vector<double>& values) {
  return Eigen::Map<const Eigen::VectorXd>(values.data(), static_cast<Eigen::Index>(values.size()));
}

std::vector<std::size_t> spread_over_ranking(const std::vector<double>& relative_ranks, std::size_t limit) {
  const std::size_t n = relative_ranks.size();
  std::vector<std::size_t> order(n);
  std::iota(order.begin(), order.end(), std::size_t{0});
  if (n <= limit) return order;
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return relative_ranks[a] < relative_ranks[b]; });
  std::vector<std::size_t> kept;
  for (std::size_t i = 0; i < limit; ++i) kept.push_back(order[i * (n - 1) / (limit - 1)]);
  return kept;
}

GaussianProcess make_surrogate(const std::vector<std::vector<float>>& encodings,
                               const std::vector<double>& relative_ranks) {
  const std::vector<double> scores = normal_scores_of_ranks(relative_ranks);
  std::vector<std::vector<float>> rows;
  std::vector<double> targets;
  for (const std::size_t i : spread_over_ranking(relative_ranks, kMaxResults)) {
    rows.push_back(encodings[i]);
    targets.push_back(scores[i]);
  }
  Eigen::MatrixXd inputs = as_matrix(rows);
  const std::vector<Eigen::Index> blocks = {inputs.cols()};
  if (rows.size() >= kFitFrom) return GaussianProcess::fit(std::move(inputs), as_vector(targets), blocks);
  return GaussianProcess(std::move(inputs), as_vector(targets), blocks, GaussianProcess::default_parameters(1));
}

std::shared_ptr<const GaussianProcess> surrogate_of(const PastTask& task) {
  return task.memo().get("surrogate", [&] { return make_surrogate(task.encodings(), task.ranks()); });
}

}  // namespace hyperfd
