#include "trial/training/trainer.h"

#include <filesystem>
#include <memory>

#include <gtest/gtest.h>

#include "tests/message_of.h"
#include "tests/trial/training/square_faces.h"
#include "trial/training/detect.h"
#include "trial/training/device.h"
#include "trial/training/evaluator.h"
#include "trial/training/weights_file.h"
#include "tuner/base/error.h"
#include "tuner/base/files.h"
#include "tuner/space/backbones.h"

namespace hyperfd {
namespace {

class TrainerTest : public ::testing::Test {
 protected:
  TrainerTest() : faces_("hyperfd_trainer", 20, 6, 10) { set_up_computing(1); }

  TrainingResult train(const Recipe& recipe, std::uint64_t seed = 1, const TrainingObserver& observer = {},
                       int workers = 1) {
    TrainerOptions options;
    options.seed = seed;
    options.loader_workers = workers;
    return train(recipe, options, observer);
  }
  TrainingResult train(const Recipe& recipe, TrainerOptions options, const TrainingObserver& observer) {
    Warnings warnings;
    const FaceDataset data = FaceDataset::load(faces_.folder(), warnings);
    options.device = "cpu";
    return Trainer(training_data(data), recipe, options).run(weights_file(), observer);
  }
  static TrainingObserver interrupted_after_one_epoch() {
    const auto epochs = std::make_shared<int>(0);
    TrainingObserver observer;
    observer.epoch = [=](const EpochReport&) { ++*epochs; };
    observer.interrupted = [=] { return *epochs >= 1; };
    return observer;
  }
  std::string weights_file() const { return faces_.folder() + "/best.pt"; }

  SquareFaces faces_;
};

TEST_F(TrainerTest, LearnsToFindSquares) {
  Recipe recipe = SquareFaces::recipe();
  recipe.learning_rate = 1e-2;
  recipe.epochs = 30;
  recipe.validate_every = 10;
  const TrainingResult result = train(recipe);
  EXPECT_EQ(result.ending, Ending::kCompleted);
  ASSERT_TRUE(result.test.has_value());
  EXPECT_GT(*result.test, 0.6);
  EXPECT_LT(result.epochs.back().loss, result.epochs.front().loss / 2);

  // The file holds the weights of the best epoch, and all that is needed to use them.
  TrainedDetector detector = load_trained_detector(weights_file());
  EXPECT_EQ(to_yaml(detector.recipe), to_yaml(recipe));
  Warnings warnings;
  const FaceDataset data = FaceDataset::load(faces_.folder(), warnings);
  Evaluator evaluator(data.folder(), data.split(Split::kTest), detector.recipe);
  const auto evaluation = evaluator.run(detector.network, torch::kCPU);
  EXPECT_DOUBLE_EQ(evaluation->average_precision, *result.test);
  for (std::size_t i = 0; i < 3; ++i) {
    const auto alone = detect_faces(detector, torch::kCPU, evaluator.sample(i).image);
    ASSERT_EQ(alone.size(), evaluation->detections[i].size());
    for (std::size_t j = 0; j < alone.size(); ++j)
      EXPECT_NEAR(alone[j].box.x, evaluation->detections[i][j].box.x, 1e-2);
  }
}

TEST_F(TrainerTest, TheSameSeedGivesTheSameRunToTheBitWhateverTheNumberOfLoaders) {
  const TrainingResult one = train(SquareFaces::recipe(), 3, {}, 1), two = train(SquareFaces::recipe(), 3, {}, 2);
  ASSERT_EQ(one.epochs.size(), two.epochs.size());
  for (std::size_t i = 0; i < one.epochs.size(); ++i) {
    EXPECT_EQ(one.epochs[i].loss, two.epochs[i].loss);
    EXPECT_EQ(one.epochs[i].average_precision, two.epochs[i].average_precision);
  }
  EXPECT_EQ(one.test, two.test);
  EXPECT_NE(train(SquareFaces::recipe(), 4).epochs[0].loss, one.epochs[0].loss);
}

TEST_F(TrainerTest, ARunThatDivergesCountsByItsLastGoodValidation) {
  Recipe recipe = SquareFaces::recipe();
  recipe.learning_rate = 1e-2;
  recipe.epochs = 20;
  recipe.validate_every = 10;
  const TrainingResult good = train(recipe);
  ASSERT_TRUE(good.test.has_value());
  ASSERT_GT(*good.test, 0.3);

  // From there on nothing changes but what augmentation draws, and an epoch with a higher loss than another diverges.
  recipe.weights = faces_.folder() + "/good.pt";
  std::filesystem::rename(weights_file(), recipe.weights);
  recipe.learning_rate = 1e-12;
  recipe.weight_decay = 0;
  recipe.validate_every = 1;
  recipe.divergence = 1;
  recipe.batch_norm = "frozen";
  const TrainingResult result = train(recipe);
  EXPECT_EQ(result.ending, Ending::kDiverged);
  ASSERT_GE(result.best_epoch, 1);
  EXPECT_GT(result.best_validation, 0.3);
  ASSERT_TRUE(result.test.has_value());
  EXPECT_NEAR(*result.test, *good.test, 0.05);
  EXPECT_NO_THROW(load_trained_detector(weights_file()));
}

TEST_F(TrainerTest, ALearningRateThatDestroysTheNetworkEndsTheRunBeforeItsFirstValidation) {
  Recipe recipe = SquareFaces::recipe();
  recipe.optimizer = "sgd";
  recipe.gradient_clip = 0;
  recipe.warmup_epochs = 0;
  recipe.learning_rate = 1e30;
  recipe.epochs = 50;
  const TrainingResult result = train(recipe);
  EXPECT_EQ(result.ending, Ending::kDiverged);
  EXPECT_LT(result.epochs.size(), 5u);
  EXPECT_EQ(result.best_epoch, 0);
  EXPECT_FALSE(result.test.has_value());
}

// One step an epoch: its loss is that of the weights before.
TEST_F(TrainerTest, ANetworkThatTheLastStepDestroysIsNotValidated) {
  for (const double rate : {1e20, 1e36, 1e39}) {
    Recipe recipe = SquareFaces::recipe();
    recipe.optimizer = "sgd";
    recipe.gradient_clip = 0;
    recipe.learning_rate = rate;
    recipe.batch_size = 20;
    recipe.epochs = 1;
    const TrainingResult result = train(recipe);
    EXPECT_EQ(result.ending, Ending::kDiverged) << rate;
    EXPECT_TRUE(result.epochs.empty()) << rate;
    EXPECT_EQ(result.best_epoch, 0) << rate;
    EXPECT_FALSE(result.test.has_value()) << rate;
    EXPECT_FALSE(std::filesystem::exists(weights_file())) << rate;
  }
}

TEST_F(TrainerTest, FacesThatEvaluationIgnoresForTheirSizeAreRefused) {
  Recipe recipe = SquareFaces::recipe();
  recipe.minimum_face = 1000;
  const std::string message = message_of([&] { train(recipe); });
  EXPECT_EQ(message.find(faces_.folder() + ": expected faces of minimum_face 1000 pixels or more in the val split, all "
                                           "its "),
            0u)
      << message;
  EXPECT_NE(message.find(" are smaller at evaluation_side 0"), std::string::npos) << message;

  // The annotations need not say how large an image is: then it shows when images are read.
  Warnings warnings;
  const FaceDataset data = FaceDataset::load(faces_.folder(), warnings);
  RetinaFace network(recipe.detector());
  Evaluator evaluator(data.folder(), data.split(Split::kTest), recipe);
  EXPECT_EQ(evaluator.run(network, torch::kCPU)->average_precision, 0);
  ASSERT_EQ(evaluator.warnings().lines().size(), 1u);
  EXPECT_NE(evaluator.warnings().lines()[0].find(
                " faces are all under minimum_face 1000 at evaluation_side 0: AP is 0 (e.g. images/26.png"),
            std::string::npos)
      << evaluator.warnings().lines()[0];
}

TEST_F(TrainerTest, AnEvaluationOfNothingSaysWhy) {
  Warnings warnings;
  const FaceDataset data = FaceDataset::load(faces_.folder(), warnings);
  Recipe recipe = SquareFaces::recipe();
  recipe.evaluation_side = 8192;
  RetinaFace network(recipe.detector());
  Evaluator evaluator(data.folder(), data.split(Split::kTest), recipe);
  const std::string message = message_of([&] { evaluator.run(network, torch::kCPU); });
  EXPECT_EQ(message.find(data.folder() + ": none of the 10 images to evaluate can be read: " + data.folder() +
                         "/images/26.png: 96×80 pixels are too many"),
            0u)
      << message;
}

TEST_F(TrainerTest, AnInterruptedRunKeepsTheBestValidation) {
  Recipe recipe = SquareFaces::recipe();
  recipe.epochs = 50;
  const TrainingResult result = train(recipe, 1, interrupted_after_one_epoch());
  EXPECT_EQ(result.ending, Ending::kInterrupted);
  EXPECT_EQ(result.best_epoch, 1);
  EXPECT_FALSE(result.test.has_value());
  EXPECT_NO_THROW(load_trained_detector(weights_file()));
}

TEST_F(TrainerTest, AResumedRunHasTheWeightsOfItsOwnBest) {
  const TrainingObserver observer = interrupted_after_one_epoch();
  Recipe recipe = SquareFaces::recipe();
  recipe.epochs = 50;
  TrainerOptions options;
  options.checkpoint_seconds = 0;
  options.checkpoint_file = faces_.folder() + "/checkpoint.pt";
  const auto run = [&] { return train(recipe, options, observer); };
  EXPECT_EQ(run().best_epoch, 1);
  const std::string best = read_file(weights_file());
  write_file_atomically(weights_file(), "of a later epoch, which the checkpoint does not know");
  EXPECT_EQ(run().best_epoch, 1);
  EXPECT_EQ(read_file(weights_file()), best);
}

// An epoch is shorter than the time between two checkpoints: the interruption makes one.
TEST_F(TrainerTest, AnInterruptedRunGoesOnBehindItsLastEpochAndEndsAsIfItHadNotBeen) {
  Recipe recipe = SquareFaces::recipe();
  recipe.epochs = 4;
  recipe.average = 0.9;
  TrainerOptions options;
  options.checkpoint_seconds = 3600;
  const auto run = [&](const TrainingObserver& observer) { return train(recipe, options, observer); };
  const TrainingResult whole = run({});
  const std::string best = read_file(weights_file());
  options.checkpoint_file = faces_.folder() + "/checkpoint.pt";
  // In the middle of the third epoch.
  int steps = 0, epochs = 0;
  TrainingObserver observer;
  observer.step = [&](const StepReport& step) { steps += step.epoch == 3 ? 1 : 0; };
  observer.interrupted = [&] { return steps > 0; };
  EXPECT_EQ(run(observer).ending, Ending::kInterrupted);
  observer = {};
  observer.resumed = [&](const std::vector<EpochReport>& before) { epochs = static_cast<int>(before.size()); };
  const TrainingResult resumed = run(observer);
  EXPECT_EQ(epochs, 2);
  ASSERT_EQ(resumed.epochs.size(), whole.epochs.size());
  for (std::size_t i = 0; i < whole.epochs.size(); ++i) {
    EXPECT_EQ(resumed.epochs[i].loss, whole.epochs[i].loss);
    EXPECT_EQ(resumed.epochs[i].average_precision, whole.epochs[i].average_precision);
  }
  EXPECT_EQ(resumed.test, whole.test);
  EXPECT_EQ(read_file(weights_file()), best);
}

TEST_F(TrainerTest, AnEvaluationMayBeInterruptedWhileItReads) {
  Warnings warnings;
  const FaceDataset data = FaceDataset::load(faces_.folder(), warnings);
  std::vector<AnnotatedImage> images = data.split(Split::kTest);
  images[0].width = 777;
  const Recipe recipe = SquareFaces::recipe();
  RetinaFace network(recipe.detector());
  Evaluator evaluator(data.folder(), images, recipe);
  int asked = 0;
  EXPECT_FALSE(evaluator.run(network, torch::kCPU, [&] { return ++asked == 3; }));
  EXPECT_EQ(asked, 3);
  const auto evaluation = evaluator.run(network, torch::kCPU);
  ASSERT_TRUE(evaluation);
  EXPECT_EQ(evaluation->detections.size(), images.size());
  ASSERT_EQ(evaluator.warnings().lines().size(), 1u);
  EXPECT_NE(evaluator.warnings().lines()[0].find("annotated 777x80"), std::string::npos);
  evaluator.free_memory();
  EXPECT_EQ(evaluator.run(network, torch::kCPU)->average_precision, evaluation->average_precision);
}

TEST_F(TrainerTest, StopsWhenValidationStagnates) {
  Recipe recipe = SquareFaces::recipe();
  recipe.learning_rate = 1e-12;  // nothing changes
  recipe.weight_decay = 0;
  recipe.epochs = 50;
  recipe.stop_patience = 2;
  recipe.score_threshold = 1;  // no detection, AP stays 0
  const TrainingResult result = train(recipe);
  EXPECT_EQ(result.ending, Ending::kStagnated);
  EXPECT_EQ(result.epochs.size(), 3u);
  EXPECT_EQ(result.best_epoch, 1);
}

// Weights that a training left are where the next one starts; folded batch norms compute the same function.
TEST_F(TrainerTest, StartsFromInitialWeights) {
  Recipe recipe = SquareFaces::recipe();
  recipe.learning_rate = 1e-2;
  recipe.epochs = 20;
  recipe.validate_every = 20;
  const double before = train(recipe).best_validation;
  ASSERT_GT(before, 0.5);
  const std::string initial = faces_.folder() + "/initial.pt";
  std::filesystem::rename(weights_file(), initial);
  for (const char* batch_norm : {"normal", "frozen", "folded"}) {
    Recipe next = recipe;
    next.weights = initial;
    next.batch_norm = batch_norm;
    next.epochs = next.validate_every = 1;
    next.learning_rate = 1e-6;
    EXPECT_NEAR(train(next).best_validation, before, 0.1) << batch_norm;
    next.frozen_levels = 1;
    EXPECT_NEAR(train(next).best_validation, before, 0.1) << batch_norm;
  }
}

TEST_F(TrainerTest, MapsInitialWeightsOfAnotherArchitecture) {
  Recipe recipe = SquareFaces::recipe();
  recipe.backbone = "mobilenet_v2_x0.5";
  recipe.epochs = recipe.validate_every = 1;
  train(recipe);
  const std::string initial = faces_.folder() + "/initial.pt";
  std::filesystem::rename(weights_file(), initial);
  recipe.weights = initial;
  recipe.backbone = canonical_backbone("proxylessnas_largest");
  recipe.learning_rate = 1e-9;
  train(recipe);
  const Weights before = load_weights(initial), after = load_weights(weights_file());
  EXPECT_TRUE(torch::allclose(after.tensors.at("fpn.merge1.0.weight"), before.tensors.at("fpn.merge1.0.weight")));
  EXPECT_NE(after.tensors.at("body.stage2.0.depthwise.0.weight").size(2),
            before.tensors.at("body.stage2.0.depthwise.0.weight").size(2));
}

TEST_F(TrainerTest, FrozenPartsKeepTheirWeights) {
  Recipe recipe = SquareFaces::recipe();
  recipe.epochs = recipe.validate_every = 1;
  train(recipe);
  const std::string initial = faces_.folder() + "/initial.pt";
  std::filesystem::rename(weights_file(), initial);
  recipe.weights = initial;
  recipe.frozen_levels = 2;
  recipe.batch_norm = "frozen";
  recipe.backbone_rate = 0.5;
  recipe.decay_norms = false;
  train(recipe);
  const Weights before = load_weights(initial), after = load_weights(weights_file());
  for (const auto& [name, tensor] : before.tensors) {
    const bool frozen = name.find("body.stage1") == 0 || name.find("body.stage2") == 0 ||
                        name.find("running_") != std::string::npos || name.find(".1.bias") != std::string::npos;
    if (frozen) {
      EXPECT_TRUE(tensor.equal(after.tensors.at(name))) << name;
    }
  }
  const std::string learns = "body.stage3.0.0.weight";
  EXPECT_FALSE(before.tensors.at(learns).equal(after.tensors.at(learns)));
}

TEST_F(TrainerTest, ComputesInMixedPrecision) {
  Recipe recipe = SquareFaces::recipe();
  recipe.precision = "bfloat16";
  recipe.epochs = recipe.validate_every = 4;
  recipe.learning_rate = 1e-2;
  const TrainingResult result = train(recipe);
  EXPECT_EQ(result.ending, Ending::kCompleted);
  EXPECT_LT(result.epochs.back().loss, result.epochs.front().loss);
}

TEST_F(TrainerTest, UnknownDevicesAreRefused) {
  EXPECT_THROW(choose_device("gpu"), InputError);
  if (!torch::cuda::is_available()) {
    EXPECT_THROW(choose_device("cuda"), InputError);
    EXPECT_TRUE(choose_device("auto").is_cpu());
  }
}

}  // namespace
}  // namespace hyperfd
