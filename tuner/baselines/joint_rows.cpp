#include "tuner/baselines/joint_rows.h"

#include <algorithm>
#include <utility>

#include "tuner/baselines/surrogate.h"

namespace hyperfd {

std::vector<float> joint_row(const std::vector<float>& encoding, const std::vector<double>& scaled_statistics) {
  std::vector<float> row = encoding;
  for (const double x : scaled_statistics) row.push_back(static_cast<float>(x));
  return row;
}

JointRows past_rows(const PastExperience& past, const StatisticsScale& scale, std::size_t tasks, std::size_t limit) {
  JointRows all;
  for (std::size_t t = past.tasks().size() - std::min(past.tasks().size(), tasks); t < past.tasks().size(); ++t) {
    const PastTask& task = *past.tasks()[t];
    const std::vector<double> statistics = scale(task.statistics()), normal = normal_scores_of_ranks(task.ranks());
    const std::vector<std::size_t> kept = spread_over_ranking(task.ranks(), limit);
    for (const std::size_t i : kept) {
      all.rows.push_back(joint_row(task.encodings()[i], statistics));
      all.scores.push_back(task.results()[i].score);
      all.ranks.push_back(task.ranks()[i]);
      all.normal.push_back(normal[i]);
    }
    all.groups.push_back(static_cast<unsigned>(kept.size()));
  }
  return all;
}

void add_own_rows(const TaskView& task, const StatisticsScale& scale, std::size_t limit, JointRows& rows) {
  const std::vector<double> statistics = scale(task.statistics);
  std::vector<double> scores;
  for (std::size_t i = task.results.size() - std::min(task.results.size(), limit); i < task.results.size(); ++i) {
    rows.rows.push_back(joint_row(task.space.encode(task.results[i].configuration), statistics));
    scores.push_back(task.results[i].score);
  }
  if (scores.empty()) return;
  rows.groups.push_back(static_cast<unsigned>(scores.size()));
  rows.scores.insert(rows.scores.end(), scores.begin(), scores.end());
  const std::vector<double> ranks = relative_ranks(scores);
  rows.ranks.insert(rows.ranks.end(), ranks.begin(), ranks.end());
  const std::vector<double> normal = normal_scores_of_ranks(ranks);
  rows.normal.insert(rows.normal.end(), normal.begin(), normal.end());
}

std::vector<std::vector<float>> candidate_rows(const TaskView& task, const StatisticsScale& scale,
                                               const Candidates& candidates) {
  const std::vector<double> statistics = scale(task.statistics);
  std::vector<std::vector<float>> rows;
  for (const std::vector<float>& encoding : candidates.encodings) rows.push_back(joint_row(encoding, statistics));
  return rows;
}

}  // namespace hyperfd
