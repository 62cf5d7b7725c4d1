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

TEST(InitialWeightsTest, ThePapersTrainingStartsFromPretrainedWeightsWhateverTheArchitecture) {
  const Recipe paper = load_recipe_for_weights("paper", "", {});
  EXPECT_EQ(paper.weights, "mobilenet_v2_x0.5");
  EXPECT_EQ(paper.backbone, "mobilenet_v2_x0.5");
  EXPECT_EQ(paper.channels, 80);
  const Recipe mapped = load_recipe_for_weights("paper", "", {"backbone=proxylessnas_largest"});
  const Recipe from_largest = load_recipe_for_weights("paper", "proxylessnas_largest", {"backbone=mobilenet_v2_x0.5"});
  EXPECT_EQ(mapped.weights, "mobilenet_v2_x0.5");
  EXPECT_EQ(from_largest.weights, "proxylessnas_largest");
  for (const Recipe& recipe : {paper, mapped, from_largest}) {
    Weights initial;
    EXPECT_NO_THROW(initial_network(recipe, 1, initial)) << recipe.weights << recipe.backbone;
    EXPECT_FALSE(initial.tensors.empty());
  }
  EXPECT_EQ(load_recipe_for_weights("paper", "", {"weights="}).backbone, "mobilenet_v2_x0.5");
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

TEST(InitialWeightsTest, TheReportSaysWhatWasMapped) {
  EXPECT_THAT(remapping_report(load_recipe_for_weights("mini", "", {})), testing::IsEmpty());
  EXPECT_THAT(remapping_report(load_recipe_for_weights("scratch", "", {})), testing::IsEmpty());
  const auto report = remapping_report(load_recipe_for_weights("mini_nas", "", {"backbone=mobilenet_v2_x0.5"}));
  ASSERT_GT(report.size(), 1u);
  EXPECT_THAT(report[0], HasSubstr("to mobilenet_v2_x0.5, " + std::to_string(report.size() - 1) + " convolutions"));
  EXPECT_THAT(report[1], HasSubstr("body."));
}

}  // namespace
}  // namespace hyperfd
