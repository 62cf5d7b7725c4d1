#pragma once

#include <optional>
#include <vector>

#include "tuner/base/rng.h"
#include "tuner/space/annotation.h"
#include "tuner/space/feasible.h"
#include "tuner/space/search_space.h"

namespace hyperfd {

// What is left of a search space for a task, while configurations are being taken from it: what is feasible and not
// taken.
class Untaken {
 public:
  // Keeps references to all arguments.
  Untaken(const SearchSpace& space, const ConfigurationKeys& taken, const Annotation& annotation = Annotation::none());

  // False when `configuration` is taken already, or violates a constraint.
  bool take(const Configuration& configuration);

  // Takes a random one that is left: drawn from the space's distributions, conditional on being left.
  // nullopt when nothing is left, or when an infinite space gives nothing but repetitions or what violates constraints.
  // Throws InputError as FeasibleSampler does when it has found nothing feasible yet.
  std::optional<Configuration> draw(Rng& rng);

  // All that are left, in the order of their indices. Only for spaces with a size.
  std::vector<Configuration> enumerate() const;

 private:
  bool take_feasible(const Configuration& configuration);
  std::optional<Configuration> draw_from_rest(Rng& rng);
  std::optional<Configuration> draw_from_feasible_rest(Rng& rng);

  const SearchSpace& space_;
  const Annotation& annotation_;
  FeasibleSampler sampler_;
  const ConfigurationKeys& taken_before_;
  ConfigurationKeys taken_now_;
};

}  // namespace hyperfd
