#include "tuner/baselines/scot_policy.h"

#include <algorithm>
#include <utility>

#include "tuner/baselines/joint_rows.h"
#include "tuner/baselines/surrogate.h"

namespace hyperfd {
namespace {

constexpr std::size_t kPastRows = 400, kOwnRows = 100;

// The rank scores within each group.
std::vector<double> targets_of(const JointRows& rows) {
  std::vector<double> targets;
  auto begin = rows.ranks.begin();
  for (const unsigned size : rows.groups) {
    const std::vector<double> scores = normal_scores({begin, begin + size});
    targets.insert(targets.end(), scores.begin(), scores.end());
    begin += size;
  }
  return targets;
}

std::vector<Eigen::Index> blocks_of(const TaskView& task, const StatisticsScale& scale) {
  std::vector<Eigen::Index> blocks = {static_cast<Eigen::Index>(task.space.encoding_size())};
  if (scale.columns() > 0) blocks.push_back(static_cast<Eigen::Index>(scale.columns()));
  return blocks;
}

}  // namespace

std::vector<double> ScotPolicy::score(const TaskView& task, const Candidates& candidates, Rng&) const {
  const StatisticsScale scale(task.past);
  const std::vector<Eigen::Index> blocks = blocks_of(task, scale);
  const std::size_t share = std::max<std::size_t>(1, kPastRows / std::max<std::size_t>(1, task.past.tasks().size()));
  JointRows rows = past_rows(task.past, scale, share);
  if (rows.rows.size() > kPastRows) {  // more tasks than rows: the newest
    rows.rows.erase(rows.rows.begin(), rows.rows.end() - kPastRows);
    rows.ranks.erase(rows.ranks.begin(), rows.ranks.end() - kPastRows);
    rows.groups.assign(kPastRows, 1);
  }
  const auto parameters = task.past.memo().get("scot", [&] {
    return GaussianProcess::fit(as_matrix(rows.rows), as_vector(targets_of(rows)), blocks).parameters();
  });
  add_own_rows(task, scale, kOwnRows, rows);
  const Eigen::MatrixXd inputs = as_matrix(rows.rows);
  const GaussianProcess process(inputs, as_vector(targets_of(rows)), blocks, *parameters);

  const GaussianProcess::Prediction prediction = process.predict(as_matrix(candidate_rows(task, scale, candidates)));
  const auto own = static_cast<Eigen::Index>(std::min(task.results.size(), kOwnRows));
  const double best = own > 0 ? process.predict(inputs.bottomRows(own)).mean.maxCoeff() : 0;
  std::vector<double> scores;
  for (Eigen::Index i = 0; i < prediction.mean.size(); ++i) {
    scores.push_back(own > 0 ? expected_improvement(prediction.mean(i), prediction.variance(i), best)
                             : prediction.mean(i));
  }
  return scores;
}

}  // namespace hyperfd
