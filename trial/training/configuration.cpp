#include "trial/training/configuration.h"

#include <algorithm>
#include <cmath>

#include "tuner/base/error.h"
#include "tuner/base/names.h"
#include "tuner/space/architecture.h"

namespace hyperfd {
namespace {

constexpr const char* kSource = "parameters";
constexpr const char* kBudget = "TRIAL_BUDGET";

}  // namespace

std::vector<std::string> apply_configuration(Recipe& recipe, const Json& parameters) {
  if (!parameters.is_object())
    throw InputError(std::string(kSource) + ": expected an object, got " + brief(parameters));
  const std::vector<std::string> known = recipe_keys();
  const std::vector<std::string> of_architecture = architecture_keys();
  std::vector<std::string> warnings;
  for (const auto& [key, value] : parameters.items()) {
    if (key == kBudget) continue;
    if (std::find(of_architecture.begin(), of_architecture.end(), key) != of_architecture.end()) continue;
    if (std::find(known.begin(), known.end(), key) == known.end()) {
      warnings.push_back(std::string(kSource) + ": " + unknown_name_message("key", key, known) + "; it has no effect");
      continue;
    }
    set_field(recipe, key, value, kSource);
  }
  if (const auto architecture = architecture_from(parameters, kSource)) recipe.backbone = to_text(*architecture);
  if (parameters.contains(kBudget)) {
    const Json& budget = parameters[kBudget];
    if (!budget.is_number() || !(budget.get<double>() > 0)) {
      throw InputError(std::string(kSource) + ": " + kBudget + ": expected a number > 0, got " + brief(budget));
    }
    recipe.epochs = static_cast<int>(std::clamp(std::round(budget.get<double>()), 1.0, 1e6));
  }
  check_recipe(recipe, kSource);
  return warnings;
}

}  // namespace hyperfd
