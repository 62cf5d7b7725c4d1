#include "trial/training/initial_weights.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/message_of.h"
#include "tuner/base/files.h"

namespace hyperfd {
namespace {

using testing::HasSubstr;

TEST(InitialWeightsTest, ARecipeTakesTheNetworkOfItsWeights) {
  const Recipe mini = load_recipe_for_weights("mini", "", {});
  EXPECT_EQ(mini.weights, "mobilenet_v1_x0.25");
  EXPECT_EQ(mini.backbone, "mobilenet_v1_x0.25");
  EXPECT_EQ(mini.channels, 64);
}

TEST(InitialWeightsTest, WithoutWeightsTheNetworkIsTheRecipes) {
  for (const Recipe& recipe :
       {load_recipe_for_weights("scratch", "", {}), load_recipe_for_weights("mini", "", {"weights="})}) {
    EXPECT_EQ(recipe.weights, "");
    EXPECT_EQ(recipe.backbone, "mobilenet_v2_x0.5");
    EXPECT_EQ(recipe.detector().channels, 80);
  }
}

TEST(InitialWeightsTest, GivenWeightsGoBeforeTheRecipesAndOverridesBeforeBoth) {
  const Recipe recipe = load_recipe_for_weights("scratch", "mobilenet_v1_x0.25", {"epochs=3"});
  EXPECT_EQ(recipe.backbone, "mobilenet_v1_x0.25");
  EXPECT_EQ(recipe.epochs, 3);
  EXPECT_EQ(load_recipe_for_weights("scratch", "", {"weights=mobilenet_v1_x0.25"}).channels, 64);
  EXPECT_EQ(load_recipe_for_weights("mini", "", {"channels=32"}).channels, 32);
}

TEST(InitialWeightsTest, WhatARecipeSaysOfTheNetworkBesideItsWeightsHolds) {
  const std::string file = testing::TempDir() + "resolved.yaml", extension = testing::TempDir() + "extension.yaml";
  const Recipe trial = load_recipe_for_weights("mini_nas", "", {"backbone=mobilenet_v2_x0.5", "crop_size=96"});
  EXPECT_EQ(trial.backbone, "mobilenet_v2_x0.5");
  write_file_atomically(file, to_yaml(trial));
  EXPECT_EQ(to_yaml(load_recipe_for_weights(file, "", {})), to_yaml(trial));
  EXPECT_EQ(load_recipe_for_weights(file, "mobilenet_v1_x0.25", {}).backbone, "mobilenet_v1_x0.25");
  write_file_atomically(extension, "extends: mini\nanchor_sizes: [8, 16, 32, 64, 128, 256]\n");
  const Recipe extended = load_recipe_for_weights(extension, "", {});
  EXPECT_EQ(extended.anchor_sizes[0], 8);
  EXPECT_EQ(extended.backbone, "mobilenet_v1_x0.25") << "of the weights";
}

TEST(InitialWeightsTest, WeightsOfAnotherKindOfNetworkSayWhatToDo) {
  const Recipe recipe = load_recipe_for_weights("mini", "", {"backbone=mobilenet_v2_x0.5"});
  Weights initial;
  EXPECT_THAT(message_of([&] { initial_network(recipe, 1, initial); }),
              HasSubstr("mobilenet_v1_x0.25.pt: weights of mobilenet_v1_x0.25 do not fit backbone mobilenet_v2_x0.5; "
                        "choose others (--weights) or none (--set weights=)"));
}

}  // namespace
}  // namespace hyperfd
