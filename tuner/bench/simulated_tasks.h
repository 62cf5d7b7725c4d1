#pragma once

#include <cstdint>
#include <vector>

#include "tuner/space/annotation.h"
#include "tuner/space/search_space.h"

namespace hyperfd {

struct SimulatedFamilyOptions {
  double similarity = 0.8;  // 0 to 1
  int factors = 1;          // of what tasks share
  double noise = 0.2;       // of a reported result, in standard deviations of a surface
  double statistics_noise = 0.1;
};

// A made-up family of tasks on some points of a search space.
//
// The surface of a task is √s · Σ z_k S_k + √(1 − s) · T. The K surfaces S_k are shared by the family, T is the task's
// own, s is the similarity, and z is a random unit vector without negative components: two tasks' values correlate with
// s · z·z', which is s when there is one factor, and varies from pair to pair when there are more. Statistics of a task
// are four linear combinations of z, the same for all tasks, plus noise: with more than one factor they tell who is
// like whom.
//
// All surfaces are drawn alike. A dimension is a key of the configuration; a nested choice, such as a stage of an
// architecture, gives one for its branch and one more for the mean of each kind of number in it (kernel1, kernel2, …
// are one kind). Every value of a dimension has an effect, linear for those means; every pair of dimensions has joint
// effects (so "Adam wants a smaller learning rate" exists). Effects are normal; dimensions matter unequally (weight 1/k
// for the k-th most important; one order for the S_k of a family, another for every T, so tasks without similarity
// share nothing), interactions carry a third of the variance. Surfaces are standardised over the points; a task reports
// 0.9 + 0.02 · (surface + noise), i.e. something that looks like an AP.
class SimulatedTasks {
 public:
  struct Task {
    std::vector<double> values;  // true value of every point
    std::vector<double> statistics;
  };

  SimulatedTasks(const std::vector<Configuration>& points, const SimulatedFamilyOptions& options, std::uint64_t seed);

  Task make_task();
  // What a trial with this true value reports.
  double report(double value);

 private:
  // One number or level for each point.
  struct Dimension {
    std::vector<std::size_t> levels;  // empty: a number
    std::vector<double> numbers;      // standardised
  };

  void add_dimensions(const std::vector<Configuration>& points);
  std::vector<double> draw_effects(const Dimension& dimension);
  std::vector<double> draw_joint_effects(const Dimension& a, const Dimension& b);
  std::vector<double> draw_surface(const std::vector<double>& importance);

  SimulatedFamilyOptions options_;
  Rng rng_;
  std::size_t points_;
  std::vector<Dimension> dimensions_;
  std::vector<double> importance_;               // of every dimension in the shared surfaces
  std::vector<std::vector<double>> shared_;      // S_k
  std::vector<std::vector<double>> statistics_;  // [statistic][k]
};

// Feasible points: all of a space of at most kEnumeratedPoints, else `count` distinct draws.
constexpr std::uint64_t kEnumeratedPoints = 2000;
std::vector<Configuration> simulated_points(const SearchSpace& space, const Annotation& annotation, std::size_t count,
                                            Rng& rng);

// Share of the points that are better than the one with this index, 0 (it is the best) to just below 1.
double normalised_rank(const std::vector<double>& values, std::size_t index);

}  // namespace hyperfd
