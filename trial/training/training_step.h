#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <torch/torch.h>

#include "trial/data/loader.h"
#include "trial/detector/multibox_loss.h"
#include "trial/detector/retinaface.h"
#include "trial/training/checkpoint.h"
#include "trial/training/optimization.h"
#include "trial/training/recipe.h"

namespace hyperfd {

struct StepLosses {
  double total = 0, classification = 0, location = 0, landmarks = 0;
};

// What a step's memory depends on, as errors name it.
std::string step_memory_keys(const Recipe& recipe);

// What happens to a network with every batch: losses, gradient, optimiser, moving average.
class TrainingStep {
 public:
  // Moves the network to the device and into training mode, with what the recipe freezes frozen. Throws InputError when
  // nothing is left to train.
  TrainingStep(RetinaFace network, const Recipe& recipe, torch::Device device);

  // Nothing, and no parameter changed, when a loss or the gradient is not finite, or the learning rate is beyond what
  // float32 can take a step of.
  std::optional<StepLosses> run(const Batch& batch, double learning_rate);

  // The two halves in front of the gradient. Faces in the pixels of crops of the recipe's size.
  RawOutput forward(const Batch& batch);
  Losses losses(const RawOutput& output, const std::vector<std::vector<Face>>& faces) const;

  // The network's weights with the moving average, if there is one, in place of those that learn.
  Weights weights();

  // Network, optimiser and moving average; checkpoints of other layouts cannot be restored.
  std::string layout() const { return layout_of(groups_); }
  void save(Checkpoint& checkpoint) const;
  // Throws InputError that begins with `source`, and changes nothing, when they do not fit.
  void restore(const Checkpoint& checkpoint, const std::string& source);

 private:
  void set_learning_rate(double learning_rate);
  void swap_average();

  Recipe recipe_;
  torch::Device device_;
  RetinaFace network_;
  torch::Tensor anchors_;  // on the CPU
  std::vector<ParameterGroup> groups_;
  std::vector<torch::Tensor> trained_, average_;  // the groups' blocks, and their moving averages
  std::unique_ptr<torch::optim::Optimizer> optimizer_;
};

}  // namespace hyperfd
