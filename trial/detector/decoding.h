#pragma once

#include <vector>

#include <torch/torch.h>

#include "trial/detector/options.h"
#include "trial/detector/retinaface.h"
#include "trial/evaluation/detection.h"

namespace hyperfd {

// The detections of each image of a batch, strongest first, in pixels of the network's input. Anchors as make_anchors()
// gives them, on the output's device.
std::vector<std::vector<Detection>> decode(const RawOutput& output, const torch::Tensor& anchors,
                                           const DecodingOptions& options);

}  // namespace hyperfd
