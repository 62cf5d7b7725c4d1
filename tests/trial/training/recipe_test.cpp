#include "trial/training/recipe.h"

#include <filesystem>

#include <gtest/gtest.h>
#include <unistd.h>

#include "tests/message_of.h"
#include "trial/training/configuration.h"
#include "trial/training/recipe_files.h"
#include "tuner/base/error.h"
#include "tuner/base/files.h"
#include "tuner/space/architecture.h"
#include "tuner/space/search_space.h"

namespace hyperfd {
namespace {

class RecipeFiles : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = (std::filesystem::temp_directory_path() / ("hyperfd_recipes_" + std::to_string(::getpid()))).string();
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  std::string write(const std::string& name, const std::string& text) const {
    write_file_atomically(folder_ + "/" + name, text);
    return folder_ + "/" + name;
  }
  std::string folder_;
};

TEST(ShippedRecipes, AllLoad) {
  for (const std::string& name : recipe_names()) EXPECT_NO_THROW(load_recipe(name, {})) << name;
}

// Appendix B.1, so that nobody changes it unawares.
TEST(ShippedRecipes, PaperIsThePapers) {
  const Recipe paper = load_recipe("paper", {});
  EXPECT_EQ(paper.backbone, "mobilenet_v2_x0.5");
  EXPECT_EQ(paper.detector().channels, 80);
  EXPECT_EQ(paper.weights, "mobilenet_v2_x0.5") << "pre-trained; Recipe's own default is random numbers";
  EXPECT_EQ(paper.batch_norm, "normal");
  EXPECT_EQ(paper.frozen_levels, 0);
  EXPECT_EQ(paper.average, 0);
  EXPECT_EQ(paper.optimizer, "sgd");
  EXPECT_EQ(paper.learning_rate, 1e-3);
  EXPECT_EQ(paper.momentum, 0.9);
  EXPECT_EQ(paper.weight_decay, 5e-4);
  EXPECT_EQ(paper.batch_size, 32);
  EXPECT_EQ(paper.crop_size, 640);
  EXPECT_EQ(paper.validate_every, 10);
  EXPECT_EQ(paper.schedule, "plateau");
  EXPECT_EQ(paper.plateau_patience, 5);
  EXPECT_EQ(paper.plateau_factor, 0.1);
  EXPECT_EQ(paper.stop_patience, 8);
  EXPECT_EQ(paper.epochs, 1000);
  EXPECT_EQ(paper.evaluation_side, 720);
  EXPECT_EQ(paper.minimum_face, 36);
  EXPECT_EQ(paper.nms_threshold, 0.4);
}

TEST_F(RecipeFiles, ExtendAnotherRecipeAndYieldToTheCommandLine) {
  write("base.yaml", "extends: paper\nepochs: 7\ncrop_size: 96\n");
  const std::string file = write("mine.yaml", "epochs: 5\nextends: base.yaml\n");
  const Recipe recipe = load_recipe(file, {"crop_size=128", "optimizer=adam", "anchor_sizes=[8,16,32,64,96,128]"});
  EXPECT_EQ(recipe.epochs, 5);
  EXPECT_EQ(recipe.crop_size, 128);
  EXPECT_EQ(recipe.optimizer, "adam");
  EXPECT_EQ(recipe.anchor_sizes, (std::vector<int>{8, 16, 32, 64, 96, 128}));
  EXPECT_EQ(recipe.batch_size, 32);
}

TEST_F(RecipeFiles, MiniFastIsMiniWithLessArithmetic) {
  EXPECT_EQ(to_yaml(load_recipe("mini_fast", {})),
            to_yaml(load_recipe("mini", {"batch_norm=folded", "frozen_levels=1"})));
}

TEST_F(RecipeFiles, TheResolvedRecipeGivesTheSameRecipe) {
  const Recipe recipe = load_recipe("mini", {"learning_rate=0.0123456789", "colour=false"});
  EXPECT_EQ(to_yaml(recipe_from_yaml(to_yaml(recipe), "text")), to_yaml(recipe));
  EXPECT_EQ(to_yaml(load_recipe(write("resolved.yaml", to_yaml(recipe)), {})), to_yaml(recipe));
}

// B.1 ignores faces under 36 pixels at a side of 720.
TEST_F(RecipeFiles, TheSmallestFaceFollowsTheEvaluationSideUntilItIsGiven) {
  const auto smallest = [](const std::string& recipe, const std::vector<std::string>& overrides) {
    return load_recipe(recipe, overrides).minimum_face;
  };
  EXPECT_EQ(smallest("paper", {}), 36);
  EXPECT_EQ(smallest("mini", {}), 12);
  EXPECT_EQ(smallest("paper", {"evaluation_side=360"}), 18);
  EXPECT_EQ(smallest("mini", {"evaluation_side=480"}), 24);
  EXPECT_EQ(smallest("paper", {"evaluation_side=360", "minimum_face=20"}), 20);
  EXPECT_EQ(smallest("paper", {"minimum_face=20", "evaluation_side=360"}), 20) << "in any order";
  EXPECT_EQ(smallest("paper", {"evaluation_side=0"}), 36) << "a side of no size says nothing";
  EXPECT_EQ(smallest("mini", {"evaluation_side=0"}), 12);

  const std::string file = write("mine.yaml", "extends: mini\nevaluation_side: 360\n");
  EXPECT_EQ(smallest(file, {}), 18);
  write("mine.yaml", "extends: mini\nminimum_face: 7\n");
  EXPECT_EQ(smallest(file, {"evaluation_side=360"}), 7);

  Recipe recipe = load_recipe("mini", {});
  apply_configuration(recipe, Json::parse(R"({"evaluation_side": 120})"));
  EXPECT_EQ(recipe.minimum_face, 6);
  // What a run leaves gives both.
  write("mine.yaml", to_yaml(load_recipe("mini", {})));
  EXPECT_EQ(smallest(file, {"evaluation_side=480"}), 12);
}

TEST_F(RecipeFiles, ErrorsNameFileKeyAndValue) {
  const std::string file = write("bad.yaml", "epohcs: 3\n");
  EXPECT_EQ(message_of([&] { load_recipe(file, {}); }), file + ": unknown key \"epohcs\"; did you mean \"epochs\"?");
  write("bad.yaml", "epochs: many\n");
  EXPECT_EQ(message_of([&] { load_recipe(file, {}); }), file + ": epochs: expected a whole number ≥ 1, got \"many\"");
  write("bad.yaml", "- 1\n");
  EXPECT_EQ(message_of([&] { load_recipe(file, {}); }), file + ": expected keys and values, got [1]");
  write("bad.yaml", "extends: bad.yaml\n");
  EXPECT_NE(message_of([&] { load_recipe(file, {}); }).find("do they extend each other?"), std::string::npos);
  write("bad.yaml", "anchor_sizes: [16, 32]\n");
  EXPECT_EQ(message_of([&] { load_recipe(file, {}); }), file + ": anchor_sizes: expected 6 sizes, got 2");
  EXPECT_EQ(message_of([&] { load_recipe("mini", {"epochs"}); }), "--set: expected key=value, got \"epochs\"");
  EXPECT_EQ(message_of([&] { load_recipe("mini", {"flip_probability=2"}); }),
            "--set: flip_probability: expected a number ≥ 0 and ≤ 1, got 2");
  EXPECT_EQ(message_of([&] { load_recipe("mini", {"epochs=1.5"}); }),
            "--set: epochs: expected a whole number ≥ 1, got 1.5");
  EXPECT_EQ(message_of([&] { load_recipe("mini", {"colour=blue"}); }),
            "--set: colour: expected true or false, got \"blue\"");
  EXPECT_EQ(message_of([&] { load_recipe("mini", {"weight_decay=1e39"}); }),
            "--set: weight_decay: expected a number ≥ 0 and ≤ 3.40282e+38, got 1e+39")
      << "more than float32 holds";
  EXPECT_EQ(load_recipe("mini", {"learning_rate=1e39"}).learning_rate, 1e39) << "it diverges, and NNI gets a number";
  EXPECT_EQ(message_of([&] { load_recipe("minni", {}); }), "unknown recipe \"minni\"; did you mean \"mini\"?");
  EXPECT_NE(message_of([&] { load_recipe("none/such.yaml", {}); }).find("recipe does not exist"), std::string::npos);
}

TEST(Configuration, OfThePapersSpaceGoesOverTheRecipe) {
  Recipe recipe;
  const auto warnings = apply_configuration(
      recipe, Json::parse(R"({"optimizer": "Adam", "learning_rate": 0.003, "min_crop_ratio": 0.55, "iou_threshold": 0.5,
                              "location_weight": 8, "negative_ratio": 2})"));
  EXPECT_TRUE(warnings.empty());
  EXPECT_EQ(recipe.optimizer, "adam");
  EXPECT_EQ(recipe.learning_rate, 0.003);
  EXPECT_EQ(recipe.min_crop_ratio, 0.55);
  EXPECT_FLOAT_EQ(recipe.matching().positive_iou, 0.5f);
  EXPECT_FLOAT_EQ(recipe.matching().negative_iou, 0.3f);
  EXPECT_EQ(recipe.loss().location_weight, 8);
  EXPECT_EQ(recipe.loss().negative_ratio, 2);
}

TEST(Configuration, OfTheArchitectureSpaceChoosesTheBackbone) {
  const SearchSpace space = SearchSpace::load(HYPERFD_SOURCE_DIR "/search_spaces/proxylessnas.yaml");
  Json parameters = space.at(12345);
  const std::string expected = to_text(*architecture_from(parameters, "parameters"));
  parameters["learning_rate"] = 0.003;
  Recipe recipe;
  EXPECT_TRUE(apply_configuration(recipe, parameters).empty());
  EXPECT_EQ(recipe.backbone, expected);
  EXPECT_EQ(recipe.learning_rate, 0.003);
  EXPECT_EQ(recipe_from_yaml(to_yaml(recipe), "text").backbone, expected);
  parameters["stage3"]["kernel1"] = 9;
  EXPECT_EQ(message_of([&] { apply_configuration(recipe, parameters); }),
            "parameters: stage3.kernel1: expected 3, 5 or 7, got 9");
}

TEST(Recipe, TakesThePyramidsWidthFromTheBackboneUnlessItIsStated) {
  const auto width = [](const std::string& recipe, const std::vector<std::string>& overrides) {
    return load_recipe(recipe, overrides).detector().channels;
  };
  EXPECT_EQ(width("scratch", {"backbone=mobilenet_v1_x0.25"}), 64);
  EXPECT_EQ(width("scratch", {"backbone=mobilenet_v2_x0.5"}), 80);
  EXPECT_EQ(width("scratch", {"backbone=mobilenet_v1_x0.25", "channels=80"}), 80);
  EXPECT_EQ(width("pretrain", {}), 64);
  EXPECT_EQ(width("pretrain", {"backbone=mobilenet_v2_x0.5"}), 80);

  Recipe recipe = load_recipe("scratch", {});
  apply_configuration(recipe, Json::parse(R"({"backbone": "mobilenet_v1_x0.25"})"));
  EXPECT_EQ(recipe.detector().channels, 64);
  EXPECT_EQ(recipe_from_yaml(to_yaml(recipe), "text").channels, 64) << "a resolved recipe states it";
  apply_configuration(recipe, Json::parse(R"({"channels": 32})"));
  EXPECT_EQ(recipe.detector().channels, 32);
}

TEST(Recipe, RefusesAnArchitectureThatIsNone) {
  Recipe recipe;
  EXPECT_EQ(message_of([&] { set_field(recipe, "backbone", "16-8s3:k3e1", "--set"); }),
            "--set: backbone: architecture: expected 7 stages, got 1");
  EXPECT_EQ(message_of([&] { set_field(recipe, "backbone", 3, "--set"); }), "--set: backbone: expected a text, got 3");
  set_field(recipe, "backbone", "proxylessnas_largest", "--set");
  EXPECT_EQ(recipe.backbone, "proxylessnas_largest");
}

TEST(Configuration, KeysOfOtherProgramsAreNamedInAWarning) {
  Recipe recipe;
  const auto warnings = apply_configuration(recipe, Json::parse(R"({"learning_rat": 1, "epochs": 3})"));
  ASSERT_EQ(warnings.size(), 1u);
  EXPECT_EQ(warnings[0], "parameters: unknown key \"learning_rat\"; did you mean \"learning_rate\"?; it has no effect");
  EXPECT_EQ(recipe.epochs, 3);
}

TEST(Configuration, ABudgetOfEpochsWinsOverEpochs) {
  Recipe recipe;
  apply_configuration(recipe, Json::parse(R"({"TRIAL_BUDGET": 4.4, "epochs": 30})"));
  EXPECT_EQ(recipe.epochs, 4);
  apply_configuration(recipe, Json::parse(R"({"TRIAL_BUDGET": 0.2})"));
  EXPECT_EQ(recipe.epochs, 1);
}

TEST(Configuration, WrongTypesAreNamed) {
  Recipe recipe;
  const auto message = [&](const char* text) {
    return message_of([&] { apply_configuration(recipe, Json::parse(text)); });
  };
  EXPECT_EQ(message(R"({"learning_rate": "abc"})"), "parameters: learning_rate: expected a number > 0, got \"abc\"");
  EXPECT_EQ(message(R"({"learning_rate": -1})"), "parameters: learning_rate: expected a number > 0, got -1");
  EXPECT_EQ(message(R"({"optimizer": "rmsprop"})"), "parameters: optimizer: expected sgd or adam, got \"rmsprop\"");
  EXPECT_EQ(message(R"({"TRIAL_BUDGET": 0})"), "parameters: TRIAL_BUDGET: expected a number > 0, got 0");
  EXPECT_EQ(message("[]"), "parameters: expected an object, got []");
}

}  // namespace
}  // namespace hyperfd
