#include "trial/training/optimization.h"

#include <cmath>

#include <ATen/CPUGeneratorImpl.h>
#include <gtest/gtest.h>

#include "trial/training/training_step.h"
#include "tuner/base/rng.h"

namespace hyperfd {
namespace {

Recipe small_recipe() {
  Recipe recipe;
  recipe.channels = 16;
  recipe.crop_size = 64;
  return recipe;
}

// Two crops of noise, a face in each.
Batch small_batch() {
  Rng rng(1);
  Batch batch;
  batch.pixels.create(std::vector<int>{2, 64, 64, 3}, CV_8U);
  for (std::size_t i = 0; i < batch.pixels.total(); ++i)
    batch.pixels.data[i] = static_cast<unsigned char>(rng.below(256));
  batch.faces.assign(2, {Face{{10, 12, 24, 24}, false, std::nullopt}});
  return batch;
}

RetinaFace small_network(const Recipe& recipe) {
  RetinaFace network(recipe.detector());
  network->initialise(at::detail::createCPUGenerator(1));
  return network;
}

// How far the first step moves the parameters.
double length_of_first_step(const Recipe& recipe, double learning_rate) {
  RetinaFace network = small_network(recipe);
  TrainingStep step(network, recipe, torch::kCPU);
  const Weights before = weights_of(*network, "");
  EXPECT_TRUE(step.run(small_batch(), learning_rate));
  double squares = 0;
  for (const auto& item : network->named_parameters()) {
    const torch::Tensor moved = item.value().detach().to(torch::kDouble) - before.tensors.at(item.key());
    squares += moved.square().sum().item<double>();
  }
  return std::sqrt(squares);
}

std::string layout(const Recipe& recipe) {
  return TrainingStep(RetinaFace(recipe.detector()), recipe, torch::kCPU).layout();
}

TEST(OptimizerLayout, IsTheSameForTheSameGroups) {
  EXPECT_EQ(layout(small_recipe()), layout(small_recipe()));
  EXPECT_EQ(layout(small_recipe()).size(), 64u);
}

TEST(OptimizerLayout, ChangesWithTheParametersAndHowTheyAreGrouped) {
  const std::string usual = layout(small_recipe());
  Recipe wider = small_recipe(), frozen = small_recipe(), slower = small_recipe();
  wider.channels = 32;
  frozen.frozen_levels = 1;
  slower.backbone_rate = 0.5;
  for (const Recipe& recipe : {wider, frozen, slower}) EXPECT_NE(layout(recipe), usual) << to_yaml(recipe);
}

// The same groups with two parameters of one shape exchanged: sizes alone would not tell.
TEST(OptimizerLayout, ChangesWithTheOrderOfEqualParameters) {
  const torch::Tensor block = torch::zeros({32});
  const ParameterGroup one{block, "a 0 [16] [1]\nb 16 [16] [1]\n", 1, 0},
      other{block, "b 0 [16] [1]\na 16 [16] [1]\n", 1, 0};
  EXPECT_NE(layout_of({one}), layout_of({other}));
}

TEST(TrainingStep, ClipsLongGradients) {
  constexpr double kClip = 0.1, kLearningRate = 0.5;
  Recipe recipe = small_recipe();
  recipe.optimizer = "sgd";
  recipe.weight_decay = 0;
  recipe.gradient_clip = 0;
  EXPECT_GT(length_of_first_step(recipe, kLearningRate), 2 * kLearningRate * kClip);
  recipe.gradient_clip = kClip;
  const double clipped = length_of_first_step(recipe, kLearningRate);
  EXPECT_LE(clipped, kLearningRate * kClip * (1 + 1e-4));
  EXPECT_GT(clipped, kLearningRate * kClip * 0.99);
}

TEST(TrainingStep, IsNoneWhenFloatsDoNotHoldTheLearningRate) {
  for (const char* optimizer : {"sgd", "adam"}) {
    Recipe recipe = small_recipe();
    recipe.optimizer = optimizer;
    RetinaFace network = small_network(recipe);
    TrainingStep step(network, recipe, torch::kCPU);
    const Weights before = weights_of(*network, "");
    for (const double rate : {1e38, 1e39, 1e300}) EXPECT_FALSE(step.run(small_batch(), rate)) << optimizer << rate;
    const std::string kernel = "fpn.output1.0.weight";
    EXPECT_TRUE(weights_of(*network, "").tensors.at(kernel).equal(before.tensors.at(kernel)));
    EXPECT_TRUE(step.run(small_batch(), 1e37)) << optimizer << ": the loss is that of the weights before";
  }
}

TEST(TrainingStep, AveragesTheWeightsOfEveryStep) {
  Recipe recipe = small_recipe();
  recipe.average = 0.75;
  RetinaFace network = small_network(recipe);
  TrainingStep step(network, recipe, torch::kCPU);
  Weights expected = weights_of(*network, "");
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(step.run(small_batch(), 0.05));
    for (const auto& item : network->named_parameters()) {
      torch::Tensor& average = expected.tensors.at(item.key());
      average = 0.75 * average + 0.25 * item.value().detach();
    }
  }
  const Weights learned = weights_of(*network, ""), averaged = step.weights();
  for (const auto& item : network->named_parameters()) {
    EXPECT_TRUE(torch::allclose(averaged.tensors.at(item.key()), expected.tensors.at(item.key()), 1e-5, 1e-7))
        << item.key();
    EXPECT_TRUE(item.value().equal(learned.tensors.at(item.key()))) << item.key() << " learns on from its own value";
  }
  const std::string kernel = "fpn.output1.0.weight";
  EXPECT_FALSE(torch::allclose(averaged.tensors.at(kernel), learned.tensors.at(kernel), 1e-5, 1e-7));
}

}  // namespace
}  // namespace hyperfd
