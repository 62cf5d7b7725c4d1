#include "trial/describe/anchor_pooling.h"

#include <vector>

#include "trial/detector/anchors.h"
#include "trial/detector/box_coding.h"

namespace hyperfd {
namespace {

constexpr std::size_t kLevels = 3;

// What each anchor counts, [batch, anchors]: one over the size of its group, at its level, thirds for the three groups.
// `ends`: of the levels' anchors. Plain loops: tensors of a few thousand numbers cost more to make than to fill.
torch::Tensor anchor_weights(const torch::Tensor& labels, const std::array<std::int64_t, kLevels>& ends, bool groups) {
  torch::Tensor weights = torch::empty(labels.sizes(), torch::kFloat);
  const auto label = labels.accessor<std::int64_t, 2>();
  auto weight = weights.accessor<float, 2>();
  for (std::int64_t image = 0; image < labels.size(0); ++image) {
    std::int64_t begin = 0;
    for (const std::int64_t end : ends) {
      std::array<std::int64_t, 3> sizes{};  // of the groups: ignored, negative, positive
      for (std::int64_t i = begin; i < end; ++i) ++sizes[static_cast<std::size_t>(label[image][i] + 1)];
      std::array<float, 3> of_group{};
      for (std::size_t group = 0; group < sizes.size(); ++group) {
        of_group[group] = 1 / static_cast<float>(groups ? 3 * sizes[group] : end - begin);
      }
      for (std::int64_t i = begin; i < end; ++i) {
        weight[image][i] = of_group[static_cast<std::size_t>(label[image][i] + 1)];
      }
      begin = end;
    }
  }
  return weights;
}

// The encoded boxes of all matched anchors times their weights, [batch, levels, 4].
torch::Tensor pool_boxes(const torch::Tensor& weights, const std::array<std::int64_t, kLevels>& ends,
                         const torch::Tensor& anchors, const FaceTensors& faces, const Matches& matches) {
  const auto label = matches.labels.accessor<std::int64_t, 2>();
  std::vector<std::int64_t> images, rows, levels;
  for (std::int64_t image = 0; image < matches.labels.size(0); ++image) {
    std::int64_t level = 0;
    for (std::int64_t i = 0; i < matches.labels.size(1); ++i) {
      if (i == ends[static_cast<std::size_t>(level)]) ++level;
      if (label[image][i] != 1) continue;
      images.push_back(image);
      rows.push_back(i);
      levels.push_back(image * static_cast<std::int64_t>(kLevels) + level);
    }
  }
  const torch::Tensor image = torch::tensor(images, torch::kLong), anchor = torch::tensor(rows, torch::kLong);
  const torch::Tensor boxes =
      encode_boxes(faces.boxes.index({image, matches.face.index({image, anchor})}), anchors.index_select(0, anchor));
  return torch::zeros({matches.labels.size(0) * static_cast<std::int64_t>(kLevels), 4})
      .index_add_(0, torch::tensor(levels, torch::kLong), boxes * weights.index({image, anchor}).unsqueeze(1))
      .view({-1, static_cast<std::int64_t>(kLevels), 4});
}

}  // namespace

std::int64_t pooled_size(std::int64_t channels, const PoolingOptions& options) {
  return (channels + (options.labels ? 4 : 0)) * (options.pyramid ? 3 : 1);
}

torch::Tensor pool_anchors(const std::array<torch::Tensor, 3>& features, const torch::Tensor& anchors,
                           const FaceTensors& faces, const Matches& matches, const PoolingOptions& options) {
  std::array<std::int64_t, kLevels> ends{};
  std::int64_t end = 0;
  for (std::size_t level = 0; level < kLevels; ++level) {
    ends[level] = end += features[level].size(2) * features[level].size(3) * kAnchorsPerLocation;
  }
  const torch::Tensor weights = anchor_weights(matches.labels, ends, options.groups);
  const torch::Tensor boxes = options.labels ? pool_boxes(weights, ends, anchors, faces, matches) : torch::Tensor();
  std::vector<torch::Tensor> pooled;
  for (std::size_t level = options.pyramid ? 0 : kLevels - 1; level < kLevels; ++level) {
    const torch::Tensor& map = features[level];
    const std::int64_t locations = map.size(2) * map.size(3);
    // The anchors of a location share its features.
    const torch::Tensor location_weights = weights.slice(1, ends[level] - locations * kAnchorsPerLocation, ends[level])
                                               .reshape({-1, 1, locations, kAnchorsPerLocation})
                                               .sum(3);
    const torch::Tensor rows = map.permute({0, 2, 3, 1}).reshape({map.size(0), locations, map.size(1)});
    pooled.push_back(torch::bmm(location_weights, rows).squeeze(1));
    if (options.labels) pooled.push_back(boxes.select(1, static_cast<std::int64_t>(level)));
  }
  return torch::cat(pooled, 1);
}

}  // namespace hyperfd
