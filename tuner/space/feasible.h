#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "tuner/base/rng.h"
#include "tuner/space/annotation.h"
#include "tuner/space/search_space.h"

namespace hyperfd {

// Draws from a space under its constraints: from the distributions of the space, conditional on being feasible.
// Rejection, which keeps the proportions between configurations: even over the feasible set where the space's own
// distribution is even. Keeps references to both arguments.
class FeasibleSampler {
 public:
  FeasibleSampler(const SearchSpace& space, const Annotation& annotation);

  // Where kMaxRejections draws in a row were turned away: an even choice of those that enumerating the space finds.
  // Throws InputError that names the constraint which turns most away when there is none, or too much to enumerate.
  Configuration draw(Rng& rng);

  // Indices of all feasible configurations, ascending. Only for spaces that can be enumerated.
  const std::vector<std::uint64_t>& feasible();
  bool can_enumerate() const;

  // Draws so far, and those turned away.
  std::uint64_t drawn() const { return drawn_; }
  std::uint64_t rejected() const { return rejected_; }

  static constexpr std::uint64_t kMaxRejections = 10'000;  // in a row
  static constexpr std::uint64_t kMaxEnumerated = 100'000;

 private:
  [[noreturn]] void fail() const;

  const SearchSpace& space_;
  const Annotation& annotation_;
  std::uint64_t drawn_ = 0, rejected_ = 0;
  std::map<const Constraint*, std::uint64_t> rejections_;
  bool rejection_is_hopeless_ = false;
  bool enumerated_ = false;
  std::vector<std::uint64_t> feasible_;
};

}  // namespace hyperfd
