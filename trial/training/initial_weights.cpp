#include "trial/training/initial_weights.h"

#include <set>

#include <ATen/CPUGeneratorImpl.h>

#include "trial/detector/folding.h"
#include "trial/detector/parameter_remapping.h"
#include "trial/training/import_weights.h"
#include "trial/training/recipe_files.h"
#include "trial/training/weights_file.h"
#include "tuner/base/error.h"
#include "tuner/base/log.h"
#include "tuner/space/backbones.h"

namespace hyperfd {
namespace {

bool is_of_backbone(const std::string& tensor) {
  return tensor.compare(0, 5, "body.") == 0;
}

bool is_backbone_only(const Weights& weights) {
  for (const auto& item : weights.tensors) {
    if (!is_of_backbone(item.first)) return false;
  }
  return !weights.tensors.empty();
}

// Maps weights of another chain of inverted residual blocks to `backbone` and says how: a summary, then a line for each
// convolution that changed. Weights of `backbone` itself or of unknown origin stay as they are, without a word.
std::vector<std::string> fit_to_backbone(Weights& weights, const std::string& backbone, const std::string& source) {
  if (weights.description.empty() || weights.description == kBackboneOnly) return {};
  const std::string trained = recipe_from_yaml(weights.description, source).backbone;
  const auto from = architecture_of(trained), to = architecture_of(backbone);
  if (trained == backbone) return {};
  if (!from || !to) {
    throw InputError(source + ": weights of " + trained + " do not fit backbone " + backbone +
                     "; choose others (--weights) or none (--set weights=)");
  }
  if (!has_batch_norms(weights))
    throw InputError(source + ": folded weights cannot be mapped to another backbone; keep those with batch norms");
  Remapping mapped = remap_parameters(weights, *from, *to, weights.description);
  weights = std::move(mapped.weights);
  std::vector<std::string> report = {source + ": mapped from " + trained + " to " + backbone + ", " +
                                     std::to_string(mapped.report.size()) + " convolutions changed"};
  report.insert(report.end(), mapped.report.begin(), mapped.report.end());
  return report;
}

// Weights of the backbone alone are enough: the rest stays as it is.
void load_initial_weights(RetinaFace& network, Weights weights, const std::string& source) {
  if (is_backbone_only(weights)) {
    for (auto& [name, tensor] : weights_of(*network, "").tensors) {
      if (!is_of_backbone(name)) weights.tensors[name] = tensor;
    }
  }
  load_into(*network, weights, source);
}

}  // namespace

Recipe load_recipe_for_weights(const std::string& recipe_name, const std::string& weights,
                               const std::vector<std::string>& overrides) {
  std::set<std::string> own_network;
  Recipe recipe = load_recipe(recipe_name, {}, &own_network);
  const std::string asked = weights.empty() ? load_recipe(recipe_name, overrides).weights : weights;
  if (asked != recipe.weights) own_network.clear();  // it was meant for the recipe's
  recipe.weights = asked;
  if (recipe.weights.empty()) {
    override_recipe(recipe, overrides);
    return recipe;
  }
  const std::string file = find_model(recipe.weights);
  const std::string description = load_weights(file).description;
  Recipe trained = recipe;
  if (description == kBackboneOnly) {
    trained.backbone = "mobilenet_v1_x0.25";
  } else if (!description.empty()) {
    trained = recipe_from_yaml(description, file);
  }
  if (!own_network.count("backbone")) recipe.backbone = trained.backbone;
  if (!own_network.count("channels")) recipe.channels = trained.channels;
  if (!own_network.count("anchor_sizes")) recipe.anchor_sizes = trained.anchor_sizes;
  override_recipe(recipe, overrides);
  return recipe;
}

std::vector<std::string> remapping_report(const Recipe& recipe) {
  if (recipe.weights.empty()) return {};
  const std::string file = find_model(recipe.weights);
  Weights weights = load_weights(file);
  return fit_to_backbone(weights, recipe.backbone, file);
}

RetinaFace initial_network(const Recipe& recipe, std::uint64_t seed, Weights& initial) {
  DetectorOptions options = recipe.detector();
  const bool folded = options.folded;
  const std::string file = recipe.weights.empty() ? "" : find_model(recipe.weights);
  if (!file.empty()) {
    initial = load_weights(file);
    const std::vector<std::string> report = fit_to_backbone(initial, recipe.backbone, file);
    if (!report.empty()) spdlog::info(report.front());
    for (std::size_t i = 1; i < report.size(); ++i) spdlog::debug("{}: {}", file, report[i]);
  }
  options.folded = !file.empty() && !has_batch_norms(initial);
  if (options.folded && !folded)
    throw InputError(file + ": these weights have no batch norms; train them with batch_norm: folded");
  RetinaFace network(options);
  if (!options.folded) network->initialise(at::detail::createCPUGenerator(seed), recipe.face_prior);
  if (!file.empty()) load_initial_weights(network, initial, file);
  return folded ? folded_twin(network) : network;
}

RetinaFace folded_twin(const RetinaFace& network) {
  DetectorOptions options = network->options();
  options.folded = true;
  RetinaFace twin(options);
  load_into(*twin, fold(weights_of(*network, "")), "network");
  store_channels_last(*twin);
  twin->eval();
  return twin;
}

}  // namespace hyperfd
