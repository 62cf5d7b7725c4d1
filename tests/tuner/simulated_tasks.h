#pragma once

#include <cstdint>
#include <vector>

#include "tuner/space/search_space.h"

namespace hyperfd {

// A made-up family of tasks on a finite space whose dimensions are flat choices.
//
// The surface of a task is √s · S + √(1 − s) · T, where S is shared by the family, T is the task's own and s is the
// similarity: two tasks' values correlate with s. Both are drawn alike: for every dimension an effect of each choice,
// for every pair of dimensions an effect of each pair of choices (so "Adam wants a smaller learning rate" exists).
// Effects are normal; dimensions matter unequally (weight 1/k for the k-th most important, the order drawn per family),
// interactions carry a third of the variance. Surfaces are standardised over the space; a task reports 0.9 + 0.02 ·
// (surface + noise), i.e. something that looks like an AP, with noise of standard deviation `noise`.
class SimulatedTasks {
 public:
  SimulatedTasks(const SearchSpace& space, double similarity, double noise, std::uint64_t seed);

  // Surfaces of a new task: true values of all configurations by index.
  std::vector<double> make_task();
  // What a trial with this true value reports.
  double report(double value);

 private:
  std::vector<double> draw_surface();

  double similarity_, noise_;
  Rng rng_;
  std::vector<std::vector<std::size_t>> choices_;  // of every configuration, for every dimension
  std::vector<double> importance_;                 // of every dimension
  std::vector<double> shared_;
};

// Share of the space that is better than the configuration with this index, 0 (it is the best) to just below 1.
double normalised_rank(const std::vector<double>& task, std::size_t index);

}  // namespace hyperfd
