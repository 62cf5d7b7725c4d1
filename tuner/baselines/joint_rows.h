#pragma once

#include <vector>

#include "tuner/baselines/scoring_policy.h"
#include "tuner/baselines/statistics_scale.h"

namespace hyperfd {

// Experience as the predictors take it that see configuration and data set jointly: a row is the encoding followed by
// the scaled statistics of the task.
struct JointRows {
  std::vector<std::vector<float>> rows;
  std::vector<double> scores;    // as reported
  std::vector<double> ranks;     // relative ranks within the task
  std::vector<double> normal;    // their normal scores
  std::vector<unsigned> groups;  // rows of each task, in order
};

std::vector<float> joint_row(const std::vector<float>& encoding, const std::vector<double>& scaled_statistics);

// Of the newest `tasks` past tasks, at most `limit` rows of each, evenly spaced over its ranking.
JointRows past_rows(const PastExperience& past, const StatisticsScale& scale, std::size_t tasks, std::size_t limit);
// Adds the task's own results as one more group, at most the newest `limit`.
void add_own_rows(const TaskView& task, const StatisticsScale& scale, std::size_t limit, JointRows& rows);
std::vector<std::vector<float>> candidate_rows(const TaskView& task, const StatisticsScale& scale,
                                               const Candidates& candidates);

}  // namespace hyperfd
