#include "trial/training/import_weights.h"

#include "trial/detector/backbone.h"
#include "trial/detector/retinaface.h"
#include "trial/training/recipe.h"
#include "tuner/base/error.h"

namespace hyperfd {
namespace {

constexpr const char* kBackbone = "mobilenet_v1_x0.25";

Recipe public_recipe() {
  Recipe recipe;
  recipe.backbone = kBackbone;
  recipe.channels = 64;
  recipe.evaluation_side = 0;
  recipe.minimum_face = 0;
  return recipe;
}

bool begins_with(const std::string& text, const std::string& beginning) {
  return text.compare(0, beginning.size(), beginning) == 0;
}

// Superfluous tensors first: they say best what a file is not.
void check_names(const Weights& weights, const torch::nn::Module& network, const std::string& source) {
  const auto known = weights_of(network, "").tensors;
  for (const auto& item : weights.tensors) {
    if (!known.count(item.first)) {
      throw InputError(source + ": tensor " + item.first +
                       " fits neither Pytorch_Retinaface's mobilenet0.25 nor its backbone");
    }
  }
}

Weights identify_detector(const Weights& weights, const Recipe& recipe, const std::string& source) {
  RetinaFace network(recipe.detector());
  if (weights.description.empty()) check_names(weights, *network, source);
  load_into(*network, weights, source);
  return weights_of(*network, to_yaml(recipe));
}

Weights identify_backbone(const Weights& weights, const std::string& source) {
  const auto backbone = make_backbone(kBackbone);
  Weights features;
  for (const auto& [name, tensor] : weights.tensors) {
    if (!begins_with(name, "fc.")) features.tensors[name] = tensor;
  }
  check_names(features, *backbone, source);
  load_into(*backbone, features, source);
  Weights named;
  named.description = kBackboneOnly;
  for (const auto& [name, tensor] : weights_of(*backbone, "").tensors) named.tensors["body." + name] = tensor;
  return named;
}

}  // namespace

Weights identify_weights(const Weights& weights, const std::vector<std::string>& overrides, const std::string& source) {
  if (weights.tensors.empty()) throw InputError(source + ": holds no tensors");
  const bool is_bare = weights.description.empty() && weights.tensors.count("stage1.0.0.weight");
  if (weights.description == kBackboneOnly || is_bare) {
    if (!overrides.empty()) throw InputError("--set: " + source + " holds a backbone only, which has no recipe");
    return is_bare ? identify_backbone(weights, source) : weights;
  }
  Recipe recipe = weights.description.empty() ? public_recipe() : recipe_from_yaml(weights.description, source);
  override_recipe(recipe, overrides);
  return identify_detector(weights, recipe, source);
}

}  // namespace hyperfd
