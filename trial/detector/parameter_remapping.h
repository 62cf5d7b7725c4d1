#pragma once

#include <string>
#include <vector>

#include "trial/detector/weights.h"
#include "tuner/space/architecture.h"

namespace hyperfd {

// Which channels a narrower layer keeps.
enum class ChannelChoice {
  kFirst,
  kMostImportant,  // largest |γ| of the batch norm that follows, in their old order
};

struct Remapping {
  Weights weights;
  // A line for each convolution that is not a plain copy: `body.stage2.1.depthwise.0.weight: kernel 7→5 centre crop,
  // channels 72→48 first`.
  std::vector<std::string> report;
};

// Parameter remapping (FNA, Fang et al. 2020 §3.2; the paper's B.3): weights of a detector with backbone `to`, made from
// those of a detector with backbone `from` and the same pyramid width.
// - Depth: a stage's extra blocks are copies of its last one; blocks too many are dropped.
// - Width: a narrower layer keeps some channels. A wider one repeats its channels and shares out the weights that read
//   them, which leaves the function as it was (Net2Net, Chen et al. 2016 §2.2).
// - Kernel: centre crop; zeros around a smaller kernel, which leaves the function as it was.
// - A block that gains its expansion (from ratio 1) reads its input there, through the new activation, over and over.
// Tensors outside body.* are copied, but for the pyramid's inputs where the width of stages 3, 5 or 7 differs.
// Throws InputError that names a tensor that is missing or has not the shape that `from` gives it.
Remapping remap_parameters(const Weights& source, const Architecture& from, const Architecture& to,
                           std::string description, ChannelChoice choice = ChannelChoice::kFirst);

}  // namespace hyperfd
