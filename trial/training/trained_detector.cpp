#include "trial/training/trained_detector.h"

#include <filesystem>

#include "trial/detector/folding.h"
#include "trial/training/import_weights.h"
#include "trial/training/initial_weights.h"
#include "trial/training/recipe_files.h"
#include "trial/training/weights_file.h"
#include "tuner/base/error.h"

namespace hyperfd {
namespace {

// Of a file that need not be one, or not be there: reading it says so.
bool is_file_name(const std::string& text) {
  const std::filesystem::path path(text);
  std::error_code error;
  return path.extension() == ".pt" || std::filesystem::exists(std::filesystem::symlink_status(path, error));
}

}  // namespace

TrainedDetector load_trained_detector(const std::string& name_or_file) {
  const std::string weights_file = is_file_name(name_or_file) ? name_or_file : find_model(name_or_file);
  const Weights weights = load_weights(weights_file);
  if (weights.description.empty()) {
    throw InputError(weights_file +
                     ": says nothing of the network it belongs to; `hyperfd-trial import-weights` finds out");
  }
  if (weights.description == kBackboneOnly) {
    throw InputError(weights_file + ": holds a backbone only, to start training from, not a detector");
  }
  TrainedDetector trained{recipe_from_yaml(weights.description, weights_file)};
  DetectorOptions options = trained.recipe.detector();
  options.folded = !has_batch_norms(weights);
  trained.network = RetinaFace(options);
  load_into(*trained.network, weights, weights_file);
  trained.network = folded_twin(trained.network);
  return trained;
}

}  // namespace hyperfd
