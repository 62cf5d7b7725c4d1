#pragma once

#include <array>

#include <torch/torch.h>

#include "trial/detector/matching.h"

namespace hyperfd {

// Table 5's ablations; all true is the paper's extractor.
struct PoolingOptions {
  bool labels = true;   // attach each anchor's matched face
  bool groups = true;   // Eq. 2; false: the mean over all anchors
  bool pyramid = true;  // all strides; false: stride 32 alone
};

// How many numbers pool_anchors() gives for feature maps of that many channels.
std::int64_t pooled_size(std::int64_t channels, const PoolingOptions& options);

// Global weighted average pooling (Eq. 2): an anchor's vector is the features at its location, then its matched face's
// box encoded relative to the anchor (box_coding.h; zeros unless its label is 1). Means over positive, negative and
// ignored anchors, then the mean of the three; a group without anchors counts as zeros. The strides' results one after
// the other: [batch, pooled_size()] float32.
//
// features: as RetinaFace's context_features() gives them; anchors, faces and matches: as for match(). Everything on
// the CPU.
torch::Tensor pool_anchors(const std::array<torch::Tensor, 3>& features, const torch::Tensor& anchors,
                           const FaceTensors& faces, const Matches& matches, const PoolingOptions& options);

}  // namespace hyperfd
