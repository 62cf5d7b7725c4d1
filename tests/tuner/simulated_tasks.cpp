#include "tests/tuner/simulated_tasks.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

namespace hyperfd {
namespace {

void standardise(std::vector<double>& values) {
  const double n = static_cast<double>(values.size());
  const double mean = std::accumulate(values.begin(), values.end(), 0.0) / n;
  double variance = 0;
  for (const double value : values) variance += (value - mean) * (value - mean) / n;
  for (double& value : values) value = (value - mean) / std::sqrt(variance);
}

}  // namespace

SimulatedTasks::SimulatedTasks(const SearchSpace& space, double similarity, double noise, std::uint64_t seed)
    : similarity_(similarity), noise_(noise), rng_(seed) {
  std::vector<std::map<std::string, std::size_t>> known;
  for (std::uint64_t index = 0; index < *space.size(); ++index) {
    choices_.emplace_back();
    const Configuration configuration = space.at(index);
    for (const auto& entry : configuration.items()) {
      const std::size_t dimension = choices_.back().size();
      if (known.size() == dimension) known.emplace_back();
      choices_.back().push_back(known[dimension].emplace(entry.value().dump(), known[dimension].size()).first->second);
    }
  }
  for (std::size_t k = 1; k <= known.size(); ++k) importance_.push_back(1.0 / static_cast<double>(k));
  rng_.shuffle(importance_);
  shared_ = draw_surface();
}

std::vector<double> SimulatedTasks::draw_surface() {
  const std::size_t dimensions = importance_.size();
  std::vector<double> additive(choices_.size()), interactions(choices_.size());
  for (std::size_t d = 0; d < dimensions; ++d) {
    std::map<std::size_t, double> effects;
    for (std::size_t i = 0; i < choices_.size(); ++i) {
      const auto [effect, is_new] = effects.emplace(choices_[i][d], 0);
      if (is_new) effect->second = importance_[d] * rng_.normal();
      additive[i] += effect->second;
    }
    for (std::size_t e = 0; e < d; ++e) {
      std::map<std::pair<std::size_t, std::size_t>, double> joint_effects;
      for (std::size_t i = 0; i < choices_.size(); ++i) {
        const auto [effect, is_new] = joint_effects.emplace(std::make_pair(choices_[i][d], choices_[i][e]), 0);
        if (is_new) effect->second = std::sqrt(importance_[d] * importance_[e]) * rng_.normal();
        interactions[i] += effect->second;
      }
    }
  }
  standardise(additive);
  standardise(interactions);
  std::vector<double> surface(choices_.size());
  for (std::size_t i = 0; i < surface.size(); ++i) {
    surface[i] = std::sqrt(2.0 / 3) * additive[i] + std::sqrt(1.0 / 3) * interactions[i];
  }
  standardise(surface);
  return surface;
}

std::vector<double> SimulatedTasks::make_task() {
  std::vector<double> task = draw_surface();
  for (std::size_t i = 0; i < task.size(); ++i) {
    task[i] = std::sqrt(similarity_) * shared_[i] + std::sqrt(1 - similarity_) * task[i];
  }
  standardise(task);
  return task;
}

double SimulatedTasks::report(double value) {
  return 0.9 + 0.02 * (value + noise_ * rng_.normal());
}

double normalised_rank(const std::vector<double>& task, std::size_t index) {
  const auto better = std::count_if(task.begin(), task.end(), [&](double value) { return value > task[index]; });
  return static_cast<double>(better) / static_cast<double>(task.size());
}

}  // namespace hyperfd
