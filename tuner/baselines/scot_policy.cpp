#include "tuner/baselines/scot_policy.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "tuner/baselines/joint_rows.h"
#include "tuner/baselines/surrogate.h"
#include "tuner/ranker/task_posterior.h"

namespace hyperfd {
namespace {

// Its parameters are fitted to fewer results than it predicts from: each step of the fit costs as much as a prediction.
constexpr std::size_t kFitRows = 400, kPastRows = 1600, kRowsOfATask = 4, kOwnRows = 100;

std::vector<Eigen::Index> blocks_of(const TaskView& task, const StatisticsScale& scale) {
  std::vector<Eigen::Index> blocks = {static_cast<Eigen::Index>(task.space.encoding_size())};
  if (scale.columns() > 0) blocks.push_back(static_cast<Eigen::Index>(scale.columns()));
  return blocks;
}

}  // namespace

std::vector<double> ScotPolicy::score(const TaskView& task, const Candidates& candidates, Rng&) const {
  const StatisticsScale scale(task.past);
  const std::vector<Eigen::Index> blocks = blocks_of(task, scale);
  const auto some_rows = [&](std::size_t most) {
    const std::size_t tasks = std::clamp<std::size_t>(task.past.tasks().size(), 1, most / kRowsOfATask);
    return past_rows(task.past, scale, tasks, most / tasks);
  };
  const auto parameters = task.past.memo().get("scot", [&] {
    const JointRows fitted = some_rows(kFitRows);
    return GaussianProcess::fit(as_matrix(fitted.rows), as_vector(fitted.normal), blocks).parameters();
  });
  JointRows rows = some_rows(kPastRows);
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
