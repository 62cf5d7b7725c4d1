#pragma once

#include <vector>

#include "tuner/ranker/ranker.h"
#include "tuner/ranker/task_experience.h"

namespace hyperfd {

// One update (Algorithm 1's training): trains H, what φ is made of, and G through the data sets that can be asked, on
// tasks that tell configurations apart; then stores the current tasks' meta-features and fits every Z. Changes `ranker`
// in place. False, with nothing changed, when there is no such task. Costs options.iterations_per_update steps whatever
// the experience; `warm_up`: options.warm_up_iterations where that is set.
//
// Gradients reach G through offline and current tasks alone (Eq. 5): meta-features of past tasks are constants. A data
// set that cannot be asked any more is from then on a past task.
bool learn(Ranker& ranker, const std::vector<TaskExperience>& experience, const RankerOptions& options, bool warm_up,
           Rng& rng);

}  // namespace hyperfd
