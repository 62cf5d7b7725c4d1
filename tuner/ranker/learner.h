#pragma once

#include <vector>

#include "tuner/ranker/ranker.h"
#include "tuner/ranker/ranking_model.h"

namespace hyperfd {

// Trains encoder, mean φ and deviations of `ranker` in place on tasks that tell configurations apart, adding those that
// are new. False, with nothing changed, when there is none. Costs options.iterations_per_update steps whatever the
// experience.
bool learn(Ranker& ranker, const std::vector<TaskExperience>& experience, const RankerOptions& options, Rng& rng);

}  // namespace hyperfd
