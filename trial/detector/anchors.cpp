#include "trial/detector/anchors.h"

#include "tuner/base/error.h"

namespace hyperfd {

void check_anchor_sizes(const std::vector<int>& sizes) {
  if (sizes.size() != 3 * kAnchorsPerLocation) {
    throw InputError("anchor_sizes: expected 6 sizes, two for each of the strides 8, 16 and 32, got " +
                     std::to_string(sizes.size()));
  }
  for (const int size : sizes) {
    if (size < 1) throw InputError("anchor_sizes: expected sizes > 0, got " + std::to_string(size));
  }
}

torch::Tensor make_anchors(int height, int width, const std::vector<int>& sizes) {
  check_anchor_sizes(sizes);
  std::vector<torch::Tensor> levels;
  for (int level = 0; level < 3; ++level) {
    const int stride = kStrides[level];
    const int rows = (height + stride - 1) / stride, columns = (width + stride - 1) / stride;
    const torch::Tensor y = (torch::arange(rows, torch::kFloat) + 0.5f) * stride;
    const torch::Tensor x = (torch::arange(columns, torch::kFloat) + 0.5f) * stride;
    torch::Tensor anchors = torch::empty({rows, columns, kAnchorsPerLocation, 4});
    anchors.select(3, 0).copy_(x.view({1, columns, 1}).expand({rows, columns, kAnchorsPerLocation}));
    anchors.select(3, 1).copy_(y.view({rows, 1, 1}).expand({rows, columns, kAnchorsPerLocation}));
    for (int i = 0; i < kAnchorsPerLocation; ++i) {
      anchors.select(2, i).slice(2, 2, 4).fill_(sizes[static_cast<std::size_t>(level * kAnchorsPerLocation + i)]);
    }
    levels.push_back(anchors.view({-1, 4}));
  }
  return torch::cat(levels);
}

}  // namespace hyperfd
