#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "trial/detector/weights.h"
#include "trial/training/epoch_report.h"
#include "trial/training/schedule.h"

namespace hyperfd {

// All that a training run needs to go on after an epoch as if it had never stopped.
struct Checkpoint {
  std::string run;     // identifies recipe, data, seed and initial weights: other runs cannot go on from it
  std::string layout;  // of the optimiser's state and the moving average: layout_of()
  std::vector<EpochReport> epochs;  // the ones that are over
  int best_epoch = 0;               // 0: never validated
  double best_validation = 0;
  Schedule::State schedule;
  std::string optimizer;  // torch::optim::Optimizer::save()
  Weights network;
  Weights average;  // of the moving average; without tensors if the recipe has none
  Weights best;     // without tensors if never validated
};

// Replaces `file` atomically and keeps the one before as <file>.previous, so that a torn write costs one checkpoint.
void save_checkpoint(const std::string& file, const Checkpoint& checkpoint);

// The newest usable checkpoint of `run`, of `file` and its predecessor; nothing when there is none. What was there and
// could not be used is said in the log. `check` throws InputError for content that does not fit the run. Throws
// InputError for a whole checkpoint of another version, which that version could go on from: of another format, or of
// this run with another `layout`.
using CheckpointCheck = std::function<void(const Checkpoint&, const std::string& file)>;
std::optional<Checkpoint> load_checkpoint(const std::string& file, const std::string& run, const std::string& layout,
                                          const CheckpointCheck& check = {});

// When the run is over.
void remove_checkpoint(const std::string& file);

}  // namespace hyperfd
