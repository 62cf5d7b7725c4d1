#include "trial/training/optimization.h"

#include <gtest/gtest.h>

#include "trial/training/training_step.h"

namespace hyperfd {
namespace {

Recipe small_recipe() {
  Recipe recipe;
  recipe.channels = 16;
  recipe.crop_size = 64;
  return recipe;
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

}  // namespace
}  // namespace hyperfd
