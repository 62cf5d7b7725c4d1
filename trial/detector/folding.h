#pragma once

#include "trial/detector/weights.h"

namespace hyperfd {

// Whether a network of these weights has batch norms.
bool has_batch_norms(const Weights& weights);

// The weights of the same network with its batch norms, in evaluation mode, folded into the convolutions before them:
// w ← w·γ/√(σ² + ε), b ← β − μ·γ/√(σ² + ε). Fewer operations, the same function up to rounding. Weights without batch
// norms come back as they are. Throws InputError that names a batch norm without a convolution.
Weights fold(const Weights& weights);

}  // namespace hyperfd
