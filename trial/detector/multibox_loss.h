#pragma once

#include <torch/torch.h>

#include "trial/detector/matching.h"
#include "trial/detector/options.h"
#include "trial/detector/retinaface.h"

namespace hyperfd {

// Scalars with gradients. `total` = classification + location_weight · location + landmark_weight · landmarks.
struct Losses {
  torch::Tensor total, classification, location, landmarks;
};

// RetinaFace §3.2 (without the dense regression term): cross entropy over the positives and each image's hardest
// negatives, smooth L1 on the boxes of positives and on the landmarks of positives whose face has them. The first two
// are divided by the batch's number of positives, the last by its number of positives with landmarks (each at least 1).
Losses multibox_loss(const RawOutput& output, const torch::Tensor& anchors, const FaceTensors& faces,
                     const Matches& matches, const LossOptions& options);

}  // namespace hyperfd
