#pragma once

#include <string>

#include "trial/detector/weights.h"

namespace hyperfd {

// PyTorch's zip format: Python's torch.load reads these files as {"description": str, "tensors": {name: tensor}}.
// Written atomically.
void save_weights(const std::string& file, const Weights& weights);

// Reads what save_weights() wrote, or a state dictionary that PyTorch saved, in its zip format (since 1.6) or the one
// before. A state dictionary may lie in a training checkpoint under "state_dict"; a prefix "module." is taken off.
// Half precision becomes float32.
// Nothing in the file is executed, and no more memory is taken than it is long. Throws InputError that names the file.
Weights load_weights(const std::string& file);

}  // namespace hyperfd
