#include "trial/training/optimization.h"

#include <algorithm>
#include <sstream>

#include "tuner/base/digest.h"
#include "tuner/base/error.h"

namespace hyperfd {
namespace {

bool begins_with(const std::string& text, const std::string& beginning) {
  return text.compare(0, beginning.size(), beginning) == 0;
}

// "body.stage1." and so on.
std::vector<std::string> frozen_prefixes(const RetinaFace& detector, const Recipe& recipe) {
  std::vector<std::string> prefixes;
  for (int level = 1; level <= recipe.frozen_levels; ++level) {
    for (const std::string& part : detector->backbone().parts(level)) prefixes.push_back("body." + part + ".");
  }
  return prefixes;
}

bool is_within(const std::string& name, const std::vector<std::string>& prefixes) {
  return std::any_of(prefixes.begin(), prefixes.end(),
                     [&](const std::string& prefix) { return begins_with(name, prefix); });
}

using NamedParameters = std::vector<std::pair<std::string, torch::Tensor>>;

// Moves parameters and the gradients that they will get into one block.
ParameterGroup move_into_block(NamedParameters& parameters) {
  constexpr std::int64_t kAligned = 16;  // numbers; a cache line
  std::int64_t size = 0;
  std::vector<std::int64_t> offsets;
  std::ostringstream layout;
  for (const auto& [name, parameter] : parameters) {
    layout << name << ' ' << size << ' ' << parameter.sizes() << ' ' << parameter.strides() << '\n';
    offsets.push_back(size);
    size += (parameter.numel() + kAligned - 1) / kAligned * kAligned;
  }
  torch::NoGradGuard no_gradient;
  torch::Tensor block = torch::zeros({size}, parameters[0].second.options());
  const torch::Tensor gradient = torch::zeros_like(block);
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    torch::Tensor& parameter = parameters[i].second;
    const torch::Tensor place = block.as_strided(parameter.sizes(), parameter.strides(), offsets[i]);
    place.copy_(parameter);
    parameter.set_data(place);
    parameter.mutable_grad() = gradient.as_strided(parameter.sizes(), parameter.strides(), offsets[i]);
  }
  block.mutable_grad() = gradient;
  return {block, layout.str(), 1, 0};
}

}  // namespace

void freeze(RetinaFace& detector, const Recipe& recipe) {
  const auto prefixes = frozen_prefixes(detector, recipe);
  for (auto& item : detector->named_parameters()) {
    if (is_within(item.key(), prefixes)) item.value().requires_grad_(false);
  }
  if (recipe.batch_norm != "frozen") return;
  for (const auto& module : detector->modules()) {
    if (!module->as<torch::nn::BatchNorm2d>()) continue;
    for (torch::Tensor& parameter : module->parameters()) parameter.requires_grad_(false);
  }
}

void start_training_mode(RetinaFace& detector, const Recipe& recipe) {
  detector->train();
  const auto prefixes = frozen_prefixes(detector, recipe);
  for (const auto& item : detector->named_modules()) {
    if (item.value()->as<torch::nn::BatchNorm2d>() &&
        (recipe.batch_norm == "frozen" || is_within(item.key() + ".", prefixes)))
      item.value()->eval();
  }
}

std::vector<ParameterGroup> parameter_groups(const RetinaFace& detector, const Recipe& recipe) {
  std::vector<ParameterGroup> groups;
  for (const bool backbone : {true, false}) {
    for (const bool kernels : {true, false}) {
      NamedParameters parameters;
      for (const auto& item : detector->named_parameters()) {
        if (item.value().requires_grad() && begins_with(item.key(), "body.") == backbone &&
            (item.value().dim() == 4) == kernels)
          parameters.emplace_back(item.key(), item.value());
      }
      if (parameters.empty()) continue;
      groups.push_back(move_into_block(parameters));
      groups.back().rate = backbone ? recipe.backbone_rate : 1;
      groups.back().weight_decay = kernels || recipe.decay_norms ? recipe.weight_decay : 0;
    }
  }
  if (groups.empty()) throw InputError("frozen_levels: nothing is left to train");
  return groups;
}

std::string layout_of(const std::vector<ParameterGroup>& groups) {
  std::ostringstream text;
  text << std::hexfloat;
  for (const ParameterGroup& group : groups)
    text << "group " << group.rate << ' ' << group.weight_decay << '\n' << group.layout;
  return sha256(text.str());
}

std::unique_ptr<torch::optim::Optimizer> make_optimizer(const Recipe& recipe,
                                                        const std::vector<ParameterGroup>& groups) {
  std::vector<torch::optim::OptimizerParamGroup> all;
  for (const ParameterGroup& group : groups) {
    std::unique_ptr<torch::optim::OptimizerOptions> options;
    if (recipe.optimizer == "adam") {
      options = std::make_unique<torch::optim::AdamOptions>(
          torch::optim::AdamOptions(recipe.learning_rate).weight_decay(group.weight_decay));
    } else {
      options = std::make_unique<torch::optim::SGDOptions>(
          torch::optim::SGDOptions(recipe.learning_rate).momentum(recipe.momentum).weight_decay(group.weight_decay));
    }
    all.emplace_back(std::vector<torch::Tensor>{group.block}, std::move(options));
  }
  if (recipe.optimizer == "adam")
    return std::make_unique<torch::optim::Adam>(all, torch::optim::AdamOptions(recipe.learning_rate));
  return std::make_unique<torch::optim::SGD>(all, torch::optim::SGDOptions(recipe.learning_rate));
}

std::string state_of(const torch::optim::Optimizer& optimizer) {
  torch::serialize::OutputArchive archive;
  optimizer.save(archive);
  std::ostringstream stream;
  archive.save_to(stream);
  return stream.str();
}

void restore(torch::optim::Optimizer& optimizer, const std::string& state, torch::Device device) {
  std::istringstream stream(state);
  torch::serialize::InputArchive archive;
  archive.load_from(stream, device);
  optimizer.load(archive);
}

}  // namespace hyperfd
