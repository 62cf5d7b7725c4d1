#pragma once

#include <iosfwd>
#include <optional>
#include <utility>

#include "tuner/base/rng.h"
#include "tuner/space/annotation.h"
#include "tuner/space/search_space.h"

namespace hyperfd::commands {

// What `hyperfd-tuner space` finds out about a space and its annotation.
struct SpaceReport {
  // Of the constraints: how many configurations satisfy them, where that can be counted, and which share of the space's
  // draws.
  std::optional<std::uint64_t> feasible;
  double feasible_share = 1;
  // Of the architectures of feasible draws: smallest and largest.
  std::pair<Cost, Cost> cost;
  std::pair<std::size_t, std::size_t> nodes;
};

// Throws InputError when the constraints leave nothing.
SpaceReport examine(const SearchSpace& space, const Annotation& annotation, Rng& rng);

Json as_json(const Annotation& annotation, const SpaceReport& report);
// The dimensions, one a line, nested ones indented.
void print_dimensions(std::ostream& out, const SearchSpace& space);
void print(std::ostream& out, const Annotation& annotation, const SpaceReport& report);

}  // namespace hyperfd::commands
