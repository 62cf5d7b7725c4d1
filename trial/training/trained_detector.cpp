#include "trial/training/trained_detector.h"

#include "trial/detector/folding.h"
#include "trial/training/initial_weights.h"
#include "trial/training/import_weights.h"
#include "trial/training/weights_file.h"
#include "tuner/base/error.h"

namespace hyperfd {

TrainedDetector load_trained_detector(const std::string& weights_file) {
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
