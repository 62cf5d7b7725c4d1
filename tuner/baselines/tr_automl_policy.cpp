#include "tuner/baselines/tr_automl_policy.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "tuner/baselines/utilities.h"

namespace hyperfd {
namespace {

constexpr std::size_t kBenchmark = 2;
constexpr int kMaxIterations = 100;
constexpr double kOneSided5Percent = 1.645;

struct Points {
  std::vector<ConfigurationKey> keys;
  std::vector<std::vector<float>> encodings;
};

// The candidate that is the best for the oldest task, or the median one: its own best may be none that can be tried.
ConfigurationKey benchmark(const PastTask& oldest, const Candidates& candidates, bool best) {
  const std::vector<double> utilities = utilities_on(oldest, candidates.keys, candidates.encodings);
  std::vector<std::size_t> order(candidates.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return utilities[a] > utilities[b]; });
  return candidates.keys[order[best ? 0 : order.size() / 2]];
}

// A past task's scores at the benchmark; of points that it has not tried what its results say of them: the score that
// is better than that share of them.
Eigen::VectorXd performance(const PastTask& task, const Points& points) {
  std::vector<double> sorted;
  for (const ScoredConfiguration& result : task.results()) sorted.push_back(result.score);
  std::sort(sorted.begin(), sorted.end());
  const std::vector<double> utilities = utilities_on(task, points.keys, points.encodings);
  Eigen::VectorXd scores(static_cast<Eigen::Index>(utilities.size()));
  for (std::size_t i = 0; i < utilities.size(); ++i) {
    const double place = std::clamp(utilities[i], 0.0, 1.0) * static_cast<double>(sorted.size() - 1);
    const auto below = std::min(static_cast<std::size_t>(place), sorted.size() - 1);
    const double above = sorted[std::min(below + 1, sorted.size() - 1)];
    scores(static_cast<Eigen::Index>(i)) =
        sorted[below] + (place - static_cast<double>(below)) * (above - sorted[below]);
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
std::vector<std::size_t> group_of(const PastExperience& past, const Points& benchmark, const Eigen::VectorXd& own) {
  std::vector<Eigen::VectorXd> points;
  for (const auto& task : past.tasks()) points.push_back(performance(*task, benchmark));
  points.push_back(own);
  const Eigen::MatrixXd distances = distances_of(points);
  const std::vector<std::size_t> groups = markov_groups(similarities_of(distances));
  std::vector<Eigen::Index> nodes;
  std::vector<std::size_t> members;
  for (std::size_t i = 0; i < past.tasks().size(); ++i) {
    if (groups[i] != groups.back()) continue;
    nodes.push_back(static_cast<Eigen::Index>(i));
    members.push_back(i);
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
  const std::vector<double> nothing(candidates.size());
  if (task.past.empty()) return nothing;
  const std::size_t tried = task.taken.size();
  if (tried < kBenchmark) {
    return ones_at(candidates.keys, benchmark(*task.past.tasks().front(), candidates, /*best=*/tried == 0));
  }
  if (task.results.size() < kBenchmark) return nothing;  // still to come
  Points points;
  Eigen::VectorXd own(static_cast<Eigen::Index>(kBenchmark));
  for (std::size_t i = 0; i < kBenchmark; ++i) {
    points.keys.push_back(configuration_key(task.results[i].configuration));
    points.encodings.push_back(task.space.encode(task.results[i].configuration));
    own(static_cast<Eigen::Index>(i)) = task.results[i].score;
  }
  std::vector<double> sums = nothing;
  for (const std::size_t member : group_of(task.past, points, own)) {
    const std::vector<double> utilities =
        utilities_on(*task.past.tasks()[member], candidates.keys, candidates.encodings);
    for (std::size_t i = 0; i < sums.size(); ++i) sums[i] += utilities[i];
  }
  return sums;
}

}  // namespace hyperfd
