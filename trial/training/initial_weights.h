#pragma once

#include <string>
#include <vector>

#include "trial/detector/retinaface.h"
#include "trial/detector/weights.h"
#include "trial/training/recipe.h"

namespace hyperfd {

// Puts weights that another training left into a network that is about to be trained. A network with batch norms takes
// weights with batch norms; a folded one takes both kinds. Weights of the backbone alone (body.*) are enough: the rest
// stays as it is. Throws InputError that names `source` and the first tensor that does not fit.
void load_initial_weights(RetinaFace& network, const Weights& weights, const std::string& source);

// Maps weights of another chain of inverted residual blocks to `backbone` (parameter_remapping.h) and says in the log
// how much was mapped; weights of `backbone` itself, of unknown origin or of another kind of network stay as they are.
// `source` names the file in messages.
void fit_to_backbone(Weights& weights, const std::string& backbone, const std::string& source);

// A recipe, the network of the given weights (name or file; backbone, channels, anchors) in place of its own, then the
// overrides. With "" as weights the same as load_recipe(). Throws InputError.
Recipe load_recipe_for_weights(const std::string& recipe, const std::string& weights,
                               const std::vector<std::string>& overrides);

// `network` with its batch norms folded, for inference: in evaluation mode, on the CPU.
RetinaFace folded_twin(const RetinaFace& network);

}  // namespace hyperfd
