#pragma once

#include <memory>
#include <string>
#include <vector>

#include <torch/torch.h>

#include "trial/detector/retinaface.h"
#include "trial/training/recipe.h"

namespace hyperfd {

// Parameters of a network that learn and are treated alike. They, and their gradients, are parts of one block of memory
// each: the optimiser does in one operation what would be hundreds of small ones.
struct ParameterGroup {
  torch::Tensor block;  // [numbers], with its gradient; zeros between the parameters
  std::string layout;   // names the parameters in the block, with their places, sizes and strides
  double rate;          // factor of the recipe's learning rate
  double weight_decay;
};

// Takes gradients from what the recipe freezes: levels of the backbone, batch norms.
void freeze(RetinaFace& detector, const Recipe& recipe);

// Training mode, except for batch norms that the recipe freezes: they use and keep their statistics.
void start_training_mode(RetinaFace& detector, const Recipe& recipe);

// What freeze() left, backbone and rest, kernels and others apart; the network's parameters are moved into the groups'
// blocks, so its device and memory format must not change any more. Throws InputError when nothing is left.
std::vector<ParameterGroup> parameter_groups(const RetinaFace& detector, const Recipe& recipe);

// Identifies what each number of an optimiser's state belongs to: equal for groups that can go on from each other's.
std::string layout_of(const std::vector<ParameterGroup>& groups);

// The recipe's optimiser; its groups are in the order given.
std::unique_ptr<torch::optim::Optimizer> make_optimizer(const Recipe& recipe,
                                                        const std::vector<ParameterGroup>& groups);

// Everything that an optimiser remembers, as bytes; restore() puts it into one of the same kind and groups, whose
// parameters are on `device`.
std::string state_of(const torch::optim::Optimizer& optimizer);
void restore(torch::optim::Optimizer& optimizer, const std::string& state, torch::Device device);

}  // namespace hyperfd
