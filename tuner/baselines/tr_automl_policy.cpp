#include "tuner/baselines/tr_automl_policy.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>

#include "tuner/baselines/average_rank_policy.h"

namespace hyperfd {
namespace {

constexpr std::size_t kBenchmark = 2;
constexpr int kMaxIterations = 100;
constexpr double kOneSided5Percent = 1.645;

// The best and the median configuration of the oldest task.
std::vector<ConfigurationKey> benchmark(const PastTask& oldest) {
  std::vector<std::size_t> order(oldest.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return oldest.ranks()[a] < oldest.ranks()[b]; });
  std::vector<ConfigurationKey> chosen = {oldest.keys()[order[0]]};
  if (order.size() > 1) chosen.push_back(oldest.keys()[order[std::max<std::size_t>(1, order.size() / 2)]]);
  return chosen;
}

// Scores at the benchmark; nullopt when one is missing.
template <typename FindScore>
std::optional<Eigen::VectorXd> performance(const std::vector<ConfigurationKey>& configurations, const FindScore& find) {
  Eigen::VectorXd scores(static_cast<Eigen::Index>(configurations.size()));
  for (std::size_t i = 0; i < configurations.size(); ++i) {
    const std::optional<double> score = find(configurations[i]);
    if (!score) return std::nullopt;
    scores(static_cast<Eigen::Index>(i)) = *score;
  }
  return scores;
}

Eigen::MatrixXd distances_of(const std::vector<Eigen::VectorXd>& points) {
  const auto n = static_cast<Eigen::Index>(points.size());
  Eigen::MatrixXd distances(n, n);
  for (Eigen::Index i = 0; i < n; ++i) {
    for (Eigen::Index j = 0; j < n; ++j) {
      distances(i, j) = (points[static_cast<std::size_t>(i)] - points[static_cast<std::size_t>(j)]).norm();
    }
  }
  return distances;
}

// exp(−d² / 2h²) with h half the median of the distances between different nodes: with all of it, the walk finds one
// group in everything.
Eigen::MatrixXd similarities_of(const Eigen::MatrixXd& distances) {
  std::vector<double> between;
  for (Eigen::Index i = 0; i < distances.rows(); ++i) {
    for (Eigen::Index j = 0; j < i; ++j) between.push_back(distances(i, j));
  }
  if (between.empty()) return Eigen::MatrixXd::Ones(distances.rows(), distances.rows());
  const auto middle = between.begin() + static_cast<std::ptrdiff_t>(between.size() / 2);
  std::nth_element(between.begin(), middle, between.end());
  const double scale = std::max(*middle / 2, 1e-12);
  return (-(distances / scale).array().square() / 2).exp().matrix();
}

// Whether the last node is as near to its group as the group's members are to each other: its distance to the nearest
// is not above their mean by more than the test allows. Groups of fewer than three others leave nothing to test.
bool belongs(const Eigen::MatrixXd& distances, const std::vector<Eigen::Index>& others) {
  if (others.size() < 3) return true;
  const auto to_nearest = [&](Eigen::Index node) {
    double nearest = INFINITY;
    for (const Eigen::Index other : others) {
      if (other != node) nearest = std::min(nearest, distances(node, other));
    }
    return nearest;
  };
  Eigen::VectorXd among(static_cast<Eigen::Index>(others.size()));
  for (std::size_t i = 0; i < others.size(); ++i) among(static_cast<Eigen::Index>(i)) = to_nearest(others[i]);
  const double mean = among.mean();
  const double deviation = std::sqrt((among.array() - mean).square().sum() / static_cast<double>(among.size() - 1));
  return to_nearest(distances.rows() - 1) <= mean + kOneSided5Percent * deviation;
}

// The past tasks that the task with these benchmark results shares a group with.
std::vector<std::size_t> group_of(const PastExperience& past, const std::vector<ConfigurationKey>& configurations,
                                  const Eigen::VectorXd& own) {
  std::vector<Eigen::VectorXd> points;
  std::vector<std::size_t> tasks;
  for (std::size_t t = 0; t < past.tasks().size(); ++t) {
    const PastTask& task = *past.tasks()[t];
    const auto scores = performance(configurations, [&](ConfigurationKey key) -> std::optional<double> {
      const auto found = std::find(task.keys().begin(), task.keys().end(), key);
      if (found == task.keys().end()) return std::nullopt;
      return task.results()[static_cast<std::size_t>(found - task.keys().begin())].score;
    });
    if (!scores) continue;
    points.push_back(*scores);
    tasks.push_back(t);
  }
  points.push_back(own);
  const Eigen::MatrixXd distances = distances_of(points);
  const std::vector<std::size_t> groups = markov_groups(similarities_of(distances));
  std::vector<Eigen::Index> nodes;
  std::vector<std::size_t> members;
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    if (groups[i] != groups.back()) continue;
    nodes.push_back(static_cast<Eigen::Index>(i));
    members.push_back(tasks[i]);
  }
  if (!belongs(distances, nodes)) members.clear();
  return members;
}

std::vector<double> ones_at(const std::vector<ConfigurationKey>& candidates, ConfigurationKey key) {
  std::vector<double> scores;
  for (const ConfigurationKey candidate : candidates) scores.push_back(candidate == key ? 1 : 0);
  return scores;
}

}  // namespace

std::vector<std::size_t> markov_groups(const Eigen::MatrixXd& similarities) {
  const auto normalise_columns = [](Eigen::MatrixXd& matrix) {
    const Eigen::RowVectorXd sums = matrix.colwise().sum();
    matrix.array().rowwise() /= sums.array();
  };
  Eigen::MatrixXd walk = similarities;
  normalise_columns(walk);
  for (int i = 0; i < kMaxIterations; ++i) {
    Eigen::MatrixXd next = (walk * walk).array().square().matrix();
    normalise_columns(next);
    const double moved = (next - walk).cwiseAbs().maxCoeff();
    walk = std::move(next);
    if (moved < 1e-9) break;
  }
  std::vector<std::size_t> groups;
  std::vector<Eigen::Index> attractors;
  for (Eigen::Index node = 0; node < walk.cols(); ++node) {
    Eigen::Index attractor = 0;
    walk.col(node).maxCoeff(&attractor);
    const auto known = std::find(attractors.begin(), attractors.end(), attractor);
    groups.push_back(static_cast<std::size_t>(known - attractors.begin()));
    if (known == attractors.end()) attractors.push_back(attractor);
  }
  return groups;
}

std::vector<double> TrAutoMlPolicy::score(const TaskView& task, const Candidates& candidates, Rng&) const {
  std::vector<double> nothing(candidates.size());
  if (task.past.empty()) return nothing;
  const std::vector<ConfigurationKey> configurations = benchmark(*task.past.tasks().front());
  for (const ConfigurationKey key : configurations) {
    if (task.taken.contains(key)) continue;
    std::vector<double> scores = ones_at(candidates.keys, key);
    if (std::count(scores.begin(), scores.end(), 1) > 0) return scores;
  }
  const auto own = performance(configurations, [&](ConfigurationKey key) -> std::optional<double> {
    for (const ScoredConfiguration& result : task.results) {
      if (configuration_key(result.configuration) == key) return result.score;
    }
    return std::nullopt;
  });
  if (!own) return nothing;  // results are still to come, or the space is without the benchmark
  const std::vector<std::size_t> group = group_of(task.past, configurations, *own);
  if (group.empty()) return nothing;
  const std::vector<double> ranks = mean_ranks(task.past, group);
  const auto best = std::min_element(ranks.begin(), ranks.end()) - ranks.begin();
  return ones_at(candidates.keys, configuration_key(*task.past.configurations()[static_cast<std::size_t>(best)]));
}

}  // namespace hyperfd
