#pragma once

#include <string>

#include "trial/detector/weights.h"

namespace hyperfd {

// PyTorch's zip format: Python's torch.load reads these files as {"description": str, "tensors": {name: tensor}}.
// Written atomically.
void save_weights(const std::string& file, const Weights& weights);

// Reads what save_weights() wrote, or a state dictionary that PyTorch ≥ 1.6 saved (a prefix "module." is taken off).
// Throws InputError that names the file.
Weights load_weights(const std::string& file);

}  // namespace hyperfd
