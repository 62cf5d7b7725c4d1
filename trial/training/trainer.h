#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "trial/data/face_dataset.h"
#include "trial/detector/weights.h"
#include "trial/training/epoch_report.h"
#include "trial/training/recipe.h"

namespace hyperfd {

struct TrainerOptions {
  std::string device = "auto";  // auto, cpu or cuda
  // Weights, order, augmentation: the same seed gives the same run, bit for bit on the CPU with one thread.
  std::uint64_t seed = 1;
  int loader_workers = 1;                // threads that read and augment images
  std::size_t cache_bytes = 512u << 20;  // decoded images kept in memory
  // Where the run leaves its state, so that it can be cut off at any moment and go on; "": nowhere.
  std::string checkpoint_file;
  double checkpoint_seconds = 10;  // between two checkpoints, at least; after epochs, and at an interruption
};

// What is trained on, chosen by and scored on. Without test images there is no test result.
struct TrainingData {
  std::string folder;
  std::vector<AnnotatedImage> train, validation, test;
};
// The three splits. Throws InputError when one is empty.
TrainingData training_data(const FaceDataset& dataset);

// A moment inside an epoch.
struct StepReport {
  int epoch = 0, epochs = 0;           // counted from 1
  std::size_t batch = 0, batches = 0;  // counted from 1
  double loss = 0;                     // mean of this epoch so far
  double images_per_second = 0;        // of this epoch so far
};

enum class Ending {
  kCompleted,    // all epochs
  kStagnated,    // validation no longer rose
  kDiverged,     // a loss, the gradient, the weights or what they detect by was not finite, or the loss rose far: the
                 // best validation before counts
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
  std::function<bool()> interrupted;                             // asked between steps
  std::function<void(const std::vector<EpochReport>&)> resumed;  // the run goes on behind these epochs
};

// Trains a detector on a data set's training split, chooses the epoch by the validation split, scores it on the test
// split.
class Trainer {
 public:
  // Starts from the recipe's initial weights. Throws InputError: no images, no face to train with, to choose by or to
  // score on, an unknown device, weights that do not fit.
  Trainer(TrainingData data, const Recipe& recipe, const TrainerOptions& options);
  ~Trainer();

  // Call once. The best weights are in `weights_file` (trial/detector/weights.h, described by the recipe) whenever an
  // epoch was best. Goes on where the checkpoint ends, if there is one of the same recipe, data, seed and initial
  // weights: on the CPU with one thread the result is the same to the bit as that of a run that was never cut off.
  // Throws InputError when no image of a split can be read, and Error that names the recipe's keys that take the most
  // memory when there is not enough.
  TrainingResult run(const std::string& weights_file, const TrainingObserver& observer);

  // Says that the result is safe: the checkpoint is no longer needed.
  void discard_checkpoint();

  // Pictures of some test images with what the best weights find there, tiled. Call after run() when it has a test
  // result.
  void draw_detections(const std::string& picture_file);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace hyperfd
