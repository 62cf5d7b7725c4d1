#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "trial/detector/retinaface.h"
#include "trial/detector/weights.h"
#include "trial/training/recipe.h"

namespace hyperfd {

// A recipe with the network of its initial weights (backbone, channels, anchors), then the overrides. What a recipe
// says of the network together with its weights or in a recipe that extends it goes before theirs, so that a resolved
// recipe gives the same network. `weights`, a name or a file, is in place of the recipe's own unless it is "". Throws
// InputError.
Recipe load_recipe_for_weights(const std::string& recipe, const std::string& weights,
                               const std::vector<std::string>& overrides);

// The recipe's network with the weights that training starts from: the recipe's, or random ones. Weights of the
// backbone alone (body.*) are enough, the rest is random; weights of another chain of inverted residual blocks are
// mapped (parameter_remapping.h). `initial` gets what the file held, after mapping. Throws InputError that names the
// file and the first tensor that does not fit.
RetinaFace initial_network(const Recipe& recipe, std::uint64_t seed, Weights& initial);

// How initial_network() maps the recipe's weights: a summary, then a line for each convolution that changes. Empty when
// they are of the recipe's own backbone or there are none. Throws InputError as it does.
std::vector<std::string> remapping_report(const Recipe& recipe);

// `network` with its batch norms folded, for inference: in evaluation mode, on the CPU.
RetinaFace folded_twin(const RetinaFace& network);

}  // namespace hyperfd
