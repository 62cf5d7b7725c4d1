#pragma once

#include <string>
#include <vector>

#include "trial/training/recipe.h"
#include "tuner/base/json.h"

namespace hyperfd {

// Puts a configuration (what NNI calls parameters) over a recipe. Its keys are recipe keys, `TRIAL_BUDGET` (the number
// of epochs that a multi-fidelity tuner grants; wins over `epochs`), `stage2` … `stage7` (an architecture, see
// architecture_from(); wins over `backbone`), or keys that mean nothing here: a search space may have them for other
// programs' sake. Returns a line of warning for each of the latter. Throws InputError: `parameters: learning_rate:
// expected a number > 0, got "abc"`.
std::vector<std::string> apply_configuration(Recipe& recipe, const Json& parameters);

}  // namespace hyperfd
