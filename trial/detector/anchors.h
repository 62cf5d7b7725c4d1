#pragma once

#include <vector>

#include <torch/torch.h>

namespace hyperfd {

constexpr int kAnchorsPerLocation = 2;
constexpr int kStrides[3] = {8, 16, 32};

// The prior boxes of an image: [anchors, 4] float, centre x, centre y, width, height in pixels of that image. Level by
// level, row by row, column by column, then size by size, as the heads put out.
torch::Tensor make_anchors(int height, int width, const std::vector<int>& sizes);

// Throws InputError unless there are six sizes > 0.
void check_anchor_sizes(const std::vector<int>& sizes);

}  // namespace hyperfd
