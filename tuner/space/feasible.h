#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "tuner/base/rng.h"
#include "tuner/space/annotation.h"
#include "tuner/space/search_space.h"

namespace hyperfd {

// Draws from a space under its constraints: from the distributions of the space, conditional on being feasible.
// Rejection, which keeps the proportions between configurations: even over the feasible set where the space's own
// distribution is even. Keeps references to both arguments.
//
// Once more than 10,000 draws, and 200 for each feasible one, were in vain: an even choice of those that enumerating
// the space finds, or, where it is too large for that, mutants of the feasible ones.
class FeasibleSampler {
 public:
  FeasibleSampler(const SearchSpace& space, const Annotation& annotation);

  // Throws InputError that names the constraint which turns most away when there is none, or too much to enumerate and
  // none found. Never so where draw(Rng(0)) of a new sampler finds one: what an experiment begins with stays true.
  Configuration draw(Rng& rng);

  // Indices of all feasible configurations, ascending. Only for spaces that can be enumerated.
  const std::vector<std::uint64_t>& feasible();
  bool can_enumerate() const;

  // Draws from the space so far, and those turned away.
  std::uint64_t drawn() const { return draws_.tried; }
  std::uint64_t rejected() const { return draws_.rejected; }

  static constexpr std::uint64_t kMaxEnumerated = 100'000;

 private:
  // Tries of one kind, given up when they no longer pay, which bounds what an answer costs.
  struct Effort {
    std::uint64_t tried = 0, rejected = 0;
    bool pays() const { return rejected < 10'000 + 200 * (tried - rejected); }
  };

  std::optional<Configuration> sample(Rng& rng);  // nullopt: it was turned away
  Configuration mutate(Rng& rng);
  [[noreturn]] void fail() const;

  const SearchSpace& space_;
  const Annotation& annotation_;
  Effort draws_, mutants_;
  std::map<const Constraint*, std::uint64_t> rejections_;
  std::vector<Configuration> known_;  // feasible ones, the parents of mutants
  bool enumerated_ = false;
  std::vector<std::uint64_t> feasible_;
};

}  // namespace hyperfd
