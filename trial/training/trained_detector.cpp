#include "trial/training/trained_detector.h"

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
  trained.network = RetinaFace(trained.recipe.detector());
  load_into(*trained.network, weights, weights_file);
  trained.network->eval();
  return trained;
}

}  // namespace hyperfd
