#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "trial/training/trainer.h"
#include "tuner/base/json.h"

// Options that several subcommands have, declared once.
namespace hyperfd::commands {

// Checks of options that hold real numbers and unsigned ones. CLI11's own Range lets NaN through, and takes -1 for the
// largest unsigned number.
CLI::Validator real_number(double low, double high);
CLI::Validator whole_number(std::uint64_t low = 0, std::uint64_t high = std::numeric_limits<std::uint64_t>::max());

// --device and --threads.
void add_computing_options(CLI::App& command, std::string& device, int& threads);

// --precision, for detectors that are there already; "": that of their recipe.
void add_precision_option(CLI::App& command, std::string& precision);

// What every training is started with.
struct TrainingOptions {
  std::string data, recipe, out;
  std::optional<std::string> weights;  // "": random ones, whatever the recipe says
  std::vector<std::string> overrides;
  TrainerOptions trainer;
  int threads = 1, cache_megabytes = 512;

  // `configuration` may choose weights, too; its other keys are not read.
  Recipe load(const Json& configuration = Json::object()) const;
  // `trainer` with the memory and the checkpoint's file.
  TrainerOptions trainer_with(const std::string& checkpoint_file) const;
  // Throws InputError when `best_file`, which a run removes at its beginning, is what it would start from.
  void check_weights_kept(const Recipe& loaded, const std::string& best_file) const;
};

// All but --data and --out, whose meaning differs.
void add_training_options(CLI::App& command, TrainingOptions& options);

// The data set, its warnings said in the log.
FaceDataset load_dataset(const std::string& folder);

}  // namespace hyperfd::commands
