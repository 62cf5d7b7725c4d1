#pragma once

#include <torch/torch.h>

namespace hyperfd {

// Boxes and landmarks relative to anchors, as the network learns them (SSD §2.2; variances 0.1 for positions, 0.2 for
// sizes). Anchors are [n, 4] centre x, centre y, width, height; boxes [n, 4] left, top, right, bottom; landmarks [n,
// 10] x, y of five points; all in pixels. Leading dimensions before n broadcast.

torch::Tensor encode_boxes(const torch::Tensor& boxes, const torch::Tensor& anchors);
torch::Tensor decode_boxes(const torch::Tensor& encoded, const torch::Tensor& anchors);
torch::Tensor encode_landmarks(const torch::Tensor& landmarks, const torch::Tensor& anchors);
torch::Tensor decode_landmarks(const torch::Tensor& encoded, const torch::Tensor& anchors);

// Anchors as left, top, right, bottom.
torch::Tensor corners_of(const torch::Tensor& anchors);

}  // namespace hyperfd
