#include "trial/training/initial_weights.h"

#include <gtest/gtest.h>
#include <gmock/gmock.h>

#include "tests/message_of.h"

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
  for (const Recipe& recipe : {load_recipe_for_weights("scratch", "", {}), load_recipe_for_weights("mini", "", {"weights="})}) {
    EXPECT_EQ(recipe.weights, "");
    EXPECT_EQ(recipe.backbone, "mobilenet_v2_x0.5");
    EXPECT_EQ(recipe.channels, 80);
  }
}

TEST(InitialWeightsTest, GivenWeightsGoBeforeTheRecipesAndOverridesBeforeBoth) {
  const Recipe recipe = load_recipe_for_weights("scratch", "mobilenet_v1_x0.25", {"epochs=3"});
  EXPECT_EQ(recipe.backbone, "mobilenet_v1_x0.25");
  EXPECT_EQ(recipe.epochs, 3);
  EXPECT_EQ(load_recipe_for_weights("scratch", "", {"weights=mobilenet_v1_x0.25"}).channels, 64);
  EXPECT_EQ(load_recipe_for_weights("mini", "", {"channels=32"}).channels, 32);
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
