#pragma once

#include <string>

#include "trial/detector/retinaface.h"
#include "trial/training/recipe.h"

namespace hyperfd {

// A detector with the recipe that it was trained by.
struct TrainedDetector {
  Recipe recipe;
  RetinaFace network{nullptr};  // batch norms folded, in evaluation mode, on the CPU
};

// Reads weights that a training run or `import-weights` wrote, or that come with the program (find_model()). Throws
// InputError that names the file.
TrainedDetector load_trained_detector(const std::string& name_or_file);

}  // namespace hyperfd
