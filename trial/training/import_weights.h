#pragma once

#include <string>
#include <vector>

#include "trial/detector/weights.h"

namespace hyperfd {

// The description of weights that hold a backbone only, under the names it has in a detector (`body.…`).
constexpr const char* kBackboneOnly = "backbone only: mobilenet_v1_x0.25\n";

// Finds out what network weights belong to and gives them the description that the other commands need:
// - Pytorch_Retinaface's mobilenet0.25: a recipe with that network and evaluation as the original does it, images at
//   their own size and no face too small (evaluation_side 0, minimum_face 0);
// - its ImageNet backbone (mobilenetV1X0.25_pretrain.tar): kBackboneOnly, without the classifier;
// - our own weights: their recipe.
// `overrides` are key=value, over the recipe. Throws InputError that names the file (`source`) and the first tensor
// that fits nothing, or the override.
Weights identify_weights(const Weights& weights, const std::vector<std::string>& overrides, const std::string& source);

}  // namespace hyperfd
