#include "tuner/baselines/scot_policy.h"

#include <cmath>
#include <algorithm>
#include <utility>

#include "tuner/baselines/joint_rows.h"
#include "tuner/baselines/surrogate.h"
#include "tuner/ranker/task_posterior.h"

namespace hyperfd {
namespace {

constexpr std::size_t kPastRows = 400, kRowsOfATask = 4, kOwnRows = 100;

std::vector<Eigen::Index> blocks_of(const TaskView& task, const StatisticsScale& scale) {
  std::vector<Eigen::Index> blocks = {static_cast<Eigen::Index>(task.space.encoding_size())};
  if (scale.columns() > 0) blocks.push_back(static_cast<Eigen::Index>(scale.columns()));
  return blocks;
}

}  // namespace

std::vector<double> ScotPolicy::score(const TaskView& task, const Candidates& candidates, Rng&) const {
  const StatisticsScale scale(task.past);
  const std::vector<Eigen::Index> blocks = blocks_of(task, scale);
  const std::size_t tasks = std::clamp<std::size_t>(task.past.tasks().size(), 1, kPastRows / kRowsOfATask);
  JointRows rows = past_rows(task.past, scale, tasks, kPastRows / tasks);
  const auto parameters = task.past.memo().get(
      "scot", [&] { return GaussianProcess::fit(as_matrix(rows.rows), as_vector(rows.normal), blocks).parameters(); });
  add_own_rows(task, scale, kOwnRows, rows);
  const Eigen::MatrixXd inputs = as_matrix(rows.rows);
  const GaussianProcess process(inputs, as_vector(rows.normal), blocks, *parameters);

  const GaussianProcess::Prediction prediction = process.predict(as_matrix(candidate_rows(task, scale, candidates)));
  const auto own = static_cast<Eigen::Index>(std::min(task.results.size(), kOwnRows));
  const double best = own > 0 ? process.predict(inputs.bottomRows(own)).mean.maxCoeff() : 0;
  std::vector<double> scores;
  for (Eigen::Index i = 0; i < prediction.mean.size(); ++i) {
    scores.push_back(own > 0 ? expected_improvement(prediction.mean(i), std::sqrt(prediction.variance(i)), best)
                             : prediction.mean(i));
  }
  return scores;
}

}  // namespace hyperfd
