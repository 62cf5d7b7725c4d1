#include "tuner/space/feasible.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "tuner/base/error.h"

namespace hyperfd {
namespace {

constexpr int kMaxSearched = 50'000;
constexpr std::size_t kMaxKnown = 20;
constexpr int kMaxMutants = 200;  // of one draw

}  // namespace

FeasibleSampler::FeasibleSampler(const SearchSpace& space, const Annotation& annotation)
    : space_(space), annotation_(annotation) {}

Configuration FeasibleSampler::draw(Rng& rng) {
  while (draws_.pays()) {
    if (std::optional<Configuration> found = sample(rng)) return std::move(*found);
  }
  if (can_enumerate()) {
    if (feasible().empty()) fail();
    return space_.at(feasible()[rng.below(feasible().size())]);
  }
  if (!known_.empty()) return mutate(rng);
  // The same search whatever `rng`, so that a space is not found empty by bad luck after it was found not to be.
  Rng fixed(0);
  for (int i = 0; i < kMaxSearched; ++i) {
    if (std::optional<Configuration> found = sample(fixed)) return std::move(*found);
  }
  fail();
}

std::optional<Configuration> FeasibleSampler::sample(Rng& rng) {
  Configuration configuration = space_.sample(rng);
  ++draws_.tried;
  if (const Constraint* violated = annotation_.find_violated(configuration)) {
    ++draws_.rejected;
    ++rejections_[violated];
    return std::nullopt;
  }
  if (!annotation_.constraints().empty() && known_.size() < kMaxKnown) known_.push_back(configuration);
  return configuration;
}

// A mutant takes its parent's place, so that mutants wander through the feasible set.
Configuration FeasibleSampler::mutate(Rng& rng) {
  for (int i = 0; i < kMaxMutants && mutants_.pays(); ++i) {
    Configuration& parent = known_[rng.below(known_.size())];
    // Ever smaller steps, as the set may be as narrow as it likes.
    Configuration mutant = space_.mutate(parent, rng, std::exp2(-i / 8.0));
    ++mutants_.tried;
    if (!annotation_.find_violated(mutant)) return parent = std::move(mutant);
    ++mutants_.rejected;
  }
  return known_[rng.below(known_.size())];
}

bool FeasibleSampler::can_enumerate() const {
  return space_.size() && *space_.size() <= kMaxEnumerated;
}

const std::vector<std::uint64_t>& FeasibleSampler::feasible() {
  if (!enumerated_) {
    for (std::uint64_t index = 0; index < *space_.size(); ++index) {
      if (!annotation_.find_violated(space_.at(index))) feasible_.push_back(index);
    }
    enumerated_ = true;
  }
  return feasible_;
}

void FeasibleSampler::fail() const {
  const auto worst = std::max_element(rejections_.begin(), rejections_.end(),
                                      [](const auto& a, const auto& b) { return a.second < b.second; });
  const std::string tried = std::to_string(draws_.tried);
  throw InputError("constraints: none of " + tried + " random configurations satisfies them; constraint " +
                   worst->first->name() + " turned away " + std::to_string(worst->second) + " of " + tried);
}

}  // namespace hyperfd
