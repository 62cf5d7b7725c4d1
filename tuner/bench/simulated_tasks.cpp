#include "tuner/bench/simulated_tasks.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <string>
#include <unordered_set>
#include <utility>

#include "tuner/platform/untaken.h"

namespace hyperfd {
namespace {

constexpr std::size_t kStatistics = 4;

void standardise(std::vector<double>& values) {
  const double n = static_cast<double>(values.size());
  const double mean = std::accumulate(values.begin(), values.end(), 0.0) / n;
  double variance = 0;
  for (const double value : values) variance += (value - mean) * (value - mean) / n;
  const double scale = variance > 1e-12 ? 1 / std::sqrt(variance) : 0;
  for (double& value : values) value = (value - mean) * scale;
}

void add(std::vector<double>& sum, double weight, const std::vector<double>& values) {
  for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += weight * values[i];
}

// The means of the numbers in `value`, by their keys without the digits at the end.
std::map<std::string, double> means_by_kind(const Json& value) {
  std::map<std::string, double> sums, counts;
  for (const auto& [key, member] : value.items()) {
    if (!member.is_number()) continue;
    const std::string kind = key.substr(0, key.find_last_not_of("0123456789") + 1);
    sums[kind] += member.get<double>();
    ++counts[kind];
  }
  for (auto& [kind, sum] : sums) sum /= counts[kind];
  return sums;
}

}  // namespace

SimulatedTasks::SimulatedTasks(const std::vector<Configuration>& points, const SimulatedFamilyOptions& options,
                               std::uint64_t seed)
    : options_(options), rng_(seed), points_(points.size()) {
  add_dimensions(points);
  for (std::size_t k = 1; k <= dimensions_.size(); ++k) importance_.push_back(1.0 / static_cast<double>(k));
  rng_.shuffle(importance_);
  for (int k = 0; k < options_.factors; ++k) shared_.push_back(draw_surface(importance_));
  for (std::size_t i = 0; i < kStatistics; ++i) {
    statistics_.emplace_back();
    for (int k = 0; k < options_.factors; ++k) statistics_.back().push_back(rng_.normal());
  }
}

void SimulatedTasks::add_dimensions(const std::vector<Configuration>& points) {
  std::map<std::string, std::map<std::string, std::size_t>> levels;  // by key, by value
  std::map<std::string, Dimension> by_name;
  for (std::size_t i = 0; i < points.size(); ++i) {
    for (const auto& [key, value] : points[i].items()) {
      const bool is_nested = value.is_object();
      const std::string level = is_nested ? value.value("_name", "") : value.dump();
      auto& known = levels[key];
      by_name[key].levels.push_back(known.emplace(level, known.size()).first->second);
      if (!is_nested) continue;
      for (const auto& [kind, mean] : means_by_kind(value)) {
        Dimension& dimension = by_name[key + "/" + kind];
        dimension.numbers.resize(points.size());  // 0 where the branch has no such number
        dimension.numbers[i] = mean;
      }
    }
  }
  for (auto& [name, dimension] : by_name) {
    if (dimension.levels.empty()) standardise(dimension.numbers);
    dimensions_.push_back(std::move(dimension));
  }
}

std::vector<double> SimulatedTasks::draw_effects(const Dimension& dimension) {
  std::vector<double> values(points_);
  if (dimension.levels.empty()) {
    add(values, rng_.normal(), dimension.numbers);
    return values;
  }
  std::map<std::size_t, double> effects;
  for (std::size_t i = 0; i < points_; ++i) {
    const auto [effect, is_new] = effects.emplace(dimension.levels[i], 0);
    if (is_new) effect->second = rng_.normal();
    values[i] = effect->second;
  }
  return values;
}

std::vector<double> SimulatedTasks::draw_joint_effects(const Dimension& a, const Dimension& b) {
  if (!a.levels.empty() && !b.levels.empty()) {
    Dimension pairs;
    for (std::size_t i = 0; i < points_; ++i) pairs.levels.push_back(a.levels[i] * points_ + b.levels[i]);
    return draw_effects(pairs);
  }
  std::vector<double> product = draw_effects(a);
  const std::vector<double> other = draw_effects(b);
  for (std::size_t i = 0; i < points_; ++i) product[i] *= other[i];
  return product;
}

std::vector<double> SimulatedTasks::draw_surface(const std::vector<double>& importance) {
  std::vector<double> additive(points_), interactions(points_);
  for (std::size_t d = 0; d < dimensions_.size(); ++d) {
    add(additive, importance[d], draw_effects(dimensions_[d]));
    for (std::size_t e = 0; e < d; ++e) {
      add(interactions, std::sqrt(importance[d] * importance[e]), draw_joint_effects(dimensions_[d], dimensions_[e]));
    }
  }
  standardise(additive);
  standardise(interactions);
  std::vector<double> surface(points_);
  add(surface, std::sqrt(2.0 / 3), additive);
  add(surface, std::sqrt(1.0 / 3), interactions);
  standardise(surface);
  return surface;
}

SimulatedTasks::Task SimulatedTasks::make_task() {
  std::vector<double> z;
  double squares = 0;
  for (int k = 0; k < options_.factors; ++k) {
    z.push_back(std::abs(rng_.normal()));
    squares += z.back() * z.back();
  }
  for (double& component : z) component /= std::sqrt(squares);

  Task task;
  std::vector<double> common(points_);
  for (std::size_t k = 0; k < z.size(); ++k) add(common, z[k], shared_[k]);
  standardise(common);
  task.values.resize(points_);
  std::vector<double> own_importance = importance_;  // or tasks without similarity would share what matters
  rng_.shuffle(own_importance);
  add(task.values, std::sqrt(options_.similarity), common);
  add(task.values, std::sqrt(1 - options_.similarity), draw_surface(own_importance));
  standardise(task.values);
  for (const std::vector<double>& weights : statistics_) {
    task.statistics.push_back(std::inner_product(z.begin(), z.end(), weights.begin(), 0.0) +
                              options_.statistics_noise * rng_.normal());
  }
  return task;
}

double SimulatedTasks::report(double value) {
  return 0.9 + 0.02 * (value + options_.noise * rng_.normal());
}

std::vector<Configuration> simulated_points(const SearchSpace& space, const Annotation& annotation, std::size_t count,
                                            Rng& rng) {
  const ConfigurationKeys nothing;
  Untaken untaken(space, nothing, annotation);
  const auto size = space.size();
  if (size && *size <= kEnumeratedPoints) return untaken.enumerate();
  std::vector<Configuration> points;
  while (points.size() < count) {
    auto drawn = untaken.draw(rng);
    if (!drawn) break;
    points.push_back(std::move(*drawn));
  }
  return points;
}

double normalised_rank(const std::vector<double>& values, std::size_t index) {
  const auto better = std::count_if(values.begin(), values.end(), [&](double value) { return value > values[index]; });
  return static_cast<double>(better) / static_cast<double>(values.size());
}

}  // namespace hyperfd
