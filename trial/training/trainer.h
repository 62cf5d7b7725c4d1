#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "trial/data/face_dataset.h"
#include "trial/training/recipe.h"

namespace hyperfd {

struct TrainerOptions {
  std::string device = "auto";  // auto, cpu or cuda
  std::uint64_t seed = 1;  // weights, order, augmentation: the same seed gives the same run, bit for bit on one thread
  int loader_workers = 1;  // threads that read and augment images
};

// A moment inside an epoch.
struct StepReport {
  int epoch = 0, epochs = 0;           // counted from 1
  std::size_t batch = 0, batches = 0;  // counted from 1
  double loss = 0;                     // mean of this epoch so far
  double images_per_second = 0;        // of this epoch so far
};

// An epoch that is over. Losses are means over its batches.
struct EpochReport {
  int epoch = 0;  // counted from 1
  double loss = 0, classification = 0, location = 0, landmarks = 0;
  double learning_rate = 0;                    // of its last step
  double seconds = 0, validation_seconds = 0;  // training, then validation
  double images_per_second = 0;
  std::optional<double> average_precision;  // AP@50 on the validation split, when it was validated
  bool best = false;                        // the highest AP so far
};

enum class Ending {
  kCompleted,    // all epochs
  kStagnated,    // validation no longer rose
  kDiverged,     // the loss or the gradient was not finite; the best validation before counts
  kInterrupted,  // somebody asked to stop
};
const char* name_of(Ending ending);

struct TrainingResult {
  Ending ending = Ending::kCompleted;
  std::vector<EpochReport> epochs;
  int best_epoch = 0;          // 0: never validated
  double best_validation = 0;  // AP@50
  std::optional<double> test;  // AP@50 of the best epoch's weights; none when interrupted or never validated
  double training_seconds = 0, validation_seconds = 0, test_seconds = 0;
  double images_per_second = 0;       // of the training loop, reading and augmentation included
  double waiting_share = 0;           // of the training seconds: how long the training thread waited for images
  std::vector<std::string> warnings;  // on data that was skipped or repaired
};

// Called on the thread that runs the training; any may be empty.
struct TrainingObserver {
  std::function<void(const StepReport&)> step;
  std::function<void(const EpochReport&)> epoch;
  std::function<bool()> interrupted;  // asked between steps
};

// Trains a detector on a data set's training split, chooses the epoch by the validation split, scores it on the test
// split.
class Trainer {
 public:
  // Throws InputError: an empty split, an unknown device.
  Trainer(const FaceDataset& data, const Recipe& recipe, const TrainerOptions& options);
  ~Trainer();

  // Call once. The best weights are in `weights_file` (trial/detector/weights.h, described by the recipe) whenever an
  // epoch was best.
  TrainingResult run(const std::string& weights_file, const TrainingObserver& observer);

  // Pictures of some test images with what the best weights find there, tiled. Call after run() when it has a test
  // result.
  void draw_detections(const std::string& picture_file);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace hyperfd
