#include "trial/training/training_step.h"

#include <cmath>
#include <limits>
#include <string>
#include <utility>

#include "trial/detector/anchors.h"
#include "trial/detector/matching.h"
#include "trial/training/precision.h"
#include "tuner/base/error.h"

namespace hyperfd {
namespace {

// LibTorch refuses steps beyond float32, and Adam's first is ten times its learning rate.
constexpr double kHighestLearningRate = 1e37;

}  // namespace

std::string step_memory_keys(const Recipe& recipe) {
  return "batch_size " + std::to_string(recipe.batch_size) + ", crop_size " + std::to_string(recipe.crop_size);
}

TrainingStep::TrainingStep(RetinaFace network, const Recipe& recipe, torch::Device device)
    : recipe_(recipe),
      device_(device),
      network_(std::move(network)),
      anchors_(make_anchors(recipe.crop_size, recipe.crop_size, recipe.anchor_sizes)) {
  network_->to(device);
  store_channels_last(*network_);
  freeze(network_, recipe);
  start_training_mode(network_, recipe);
  groups_ = parameter_groups(network_, recipe);
  for (const ParameterGroup& group : groups_) trained_.push_back(group.block);
  optimizer_ = make_optimizer(recipe, groups_);
  if (recipe.average == 0) return;
  for (const torch::Tensor& block : trained_) average_.push_back(block.clone());
}

RawOutput TrainingStep::forward(const Batch& batch) {
  const cv::Mat& images = batch.pixels;
  const torch::Tensor bytes =
      torch::from_blob(images.data, {images.size[0], images.size[1], images.size[2], 3}, torch::kByte);
  return network_output(network_, bytes, recipe_.precision, device_);
}

Losses TrainingStep::losses(const RawOutput& output, const std::vector<std::vector<Face>>& faces) const {
  const FaceTensors packed = pack_faces(faces);
  const Matches matches = match(anchors_, packed, recipe_.matching());
  return multibox_loss(output, anchors_.to(device_), packed.to(device_), matches.to(device_), recipe_.loss());
}

std::optional<StepLosses> TrainingStep::run(const Batch& batch, double learning_rate) {
  for (const ParameterGroup& group : groups_) {
    if (learning_rate * group.rate > kHighestLearningRate) return std::nullopt;
  }
  const Losses losses = this->losses(forward(batch), batch.faces);
  const torch::Tensor values =
      torch::stack({losses.total, losses.classification, losses.location, losses.landmarks}).detach().to(torch::kCPU);
  if (!torch::isfinite(values).all().item<bool>()) return std::nullopt;
  // Not the optimiser's zero_grad(): from LibTorch 2 on that takes the blocks' gradients away, of which the parameters'
  // are parts.
  for (torch::Tensor& block : trained_) block.mutable_grad().zero_();
  losses.total.backward();
  const double limit = recipe_.gradient_clip > 0 ? recipe_.gradient_clip : std::numeric_limits<double>::infinity();
  if (!std::isfinite(torch::nn::utils::clip_grad_norm_(trained_, limit))) return std::nullopt;
  set_learning_rate(learning_rate);
  optimizer_->step();
  torch::NoGradGuard no_gradient;
  for (std::size_t i = 0; i < average_.size(); ++i) average_[i].lerp_(trained_[i], 1 - recipe_.average);
  const float* value = values.data_ptr<float>();
  return StepLosses{value[0], value[1], value[2], value[3]};
}

Weights TrainingStep::weights() {
  swap_average();
  Weights weights = weights_of(*network_, to_yaml(recipe_));
  swap_average();
  return weights;
}

void TrainingStep::save(Checkpoint& checkpoint) const {
  checkpoint.layout = layout();
  checkpoint.optimizer = state_of(*optimizer_);
  checkpoint.network = weights_of(*network_, to_yaml(recipe_));
  for (std::size_t i = 0; i < average_.size(); ++i)
    checkpoint.average.tensors[std::to_string(i)] = average_[i].to(torch::kCPU, /*non_blocking=*/false, /*copy=*/true);
}

void TrainingStep::restore(const Checkpoint& checkpoint, const std::string& source) {
  std::vector<torch::Tensor> average;
  for (std::size_t i = 0; i < average_.size(); ++i) {
    const auto given = checkpoint.average.tensors.find(std::to_string(i));
    if (given == checkpoint.average.tensors.end() || given->second.sizes() != average_[i].sizes()) {
      throw InputError(source + ": moving average " + std::to_string(i) + " is missing or has another shape");
    }
    average.push_back(given->second);
  }
  auto optimizer = make_optimizer(recipe_, groups_);
  try {
    hyperfd::restore(*optimizer, checkpoint.optimizer, device_);
  } catch (const std::exception&) {  // whatever LibTorch throws
    throw InputError(source + ": the optimizer's state cannot be read");
  }
  load_into(*network_, checkpoint.network, source);
  optimizer_ = std::move(optimizer);
  torch::NoGradGuard no_gradient;
  for (std::size_t i = 0; i < average_.size(); ++i) average_[i].copy_(average[i]);
}

void TrainingStep::set_learning_rate(double learning_rate) {
  for (std::size_t i = 0; i < groups_.size(); ++i)
    optimizer_->param_groups()[i].options().set_lr(learning_rate * groups_[i].rate);
}

void TrainingStep::swap_average() {
  torch::NoGradGuard no_gradient;
  for (std::size_t i = 0; i < average_.size(); ++i) {
    const torch::Tensor block = trained_[i].clone();
    trained_[i].copy_(average_[i]);
    average_[i].copy_(block);
  }
}

}  // namespace hyperfd
