#include "tuner/space/feasible.h"

#include <algorithm>

#include "tuner/base/error.h"

namespace hyperfd {

FeasibleSampler::FeasibleSampler(const SearchSpace& space, const Annotation& annotation)
    : space_(space), annotation_(annotation) {}

Configuration FeasibleSampler::draw(Rng& rng) {
  for (std::uint64_t i = 0; i < kMaxRejections && !rejection_is_hopeless_; ++i) {
    Configuration configuration = space_.sample(rng);
    ++drawn_;
    const Constraint* violated = annotation_.find_violated(configuration);
    if (!violated) return configuration;
    ++rejected_;
    ++rejections_[violated];
  }
  rejection_is_hopeless_ = true;
  if (!can_enumerate() || feasible().empty()) fail();
  return space_.at(feasible()[rng.below(feasible().size())]);
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
  throw InputError("constraints: none of " + std::to_string(kMaxRejections) +
                   " random configurations satisfies them; constraint " + worst->first->name() + " turned away " +
                   std::to_string(worst->second) + " of " + std::to_string(rejected_));
}

}  // namespace hyperfd
