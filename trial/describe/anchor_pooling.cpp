#include "trial/describe/anchor_pooling.h"

#include "trial/detector/anchors.h"
#include "trial/detector/box_coding.h"

namespace hyperfd {
namespace {

// What each anchor of one stride counts, [batch, anchors]; labels: [batch, anchors].
torch::Tensor anchor_weights(const torch::Tensor& labels, bool groups) {
  if (!groups) return torch::full(labels.sizes(), 1.0 / static_cast<double>(labels.size(1)), torch::kFloat);
  torch::Tensor weights = torch::zeros(labels.sizes(), torch::kFloat);
  for (const int group : {1, 0, -1}) {
    const torch::Tensor members = (labels == group).to(torch::kFloat);
    weights += members / (3 * members.sum(1, /*keepdim=*/true)).clamp_min(1);
  }
  return weights;
}

// The encoded boxes of all matched anchors times their weights, [batch, 4].
torch::Tensor pool_boxes(const torch::Tensor& weights, const torch::Tensor& anchors, const FaceTensors& faces,
                         const torch::Tensor& labels, const torch::Tensor& matched_face) {
  const torch::Tensor matched = (labels == 1).nonzero();  // [matches, 2]: image, anchor
  const torch::Tensor image = matched.select(1, 0), anchor = matched.select(1, 1);
  const torch::Tensor boxes =
      encode_boxes(faces.boxes.index({image, matched_face.index({image, anchor})}), anchors.index_select(0, anchor));
  return torch::zeros({labels.size(0), 4}).index_add_(0, image, boxes * weights.index({image, anchor}).unsqueeze(1));
}

}  // namespace

std::int64_t pooled_size(std::int64_t channels, const PoolingOptions& options) {
  return (channels + (options.labels ? 4 : 0)) * (options.pyramid ? 3 : 1);
}

torch::Tensor pool_anchors(const std::array<torch::Tensor, 3>& features, const torch::Tensor& anchors,
                           const FaceTensors& faces, const Matches& matches, const PoolingOptions& options) {
  std::vector<torch::Tensor> pooled;
  std::int64_t begin = 0;
  for (std::size_t level = 0; level < features.size(); ++level) {
    const torch::Tensor& map = features[level];
    const std::int64_t locations = map.size(2) * map.size(3), end = begin + locations * kAnchorsPerLocation;
    if (options.pyramid || level + 1 == features.size()) {
      const torch::Tensor labels = matches.labels.slice(1, begin, end);
      const torch::Tensor weights = anchor_weights(labels, options.groups);
      // The anchors of a location share its features.
      const torch::Tensor location_weights = weights.view({-1, 1, locations, kAnchorsPerLocation}).sum(3);
      const torch::Tensor rows = map.permute({0, 2, 3, 1}).reshape({map.size(0), locations, map.size(1)});
      pooled.push_back(torch::bmm(location_weights, rows).squeeze(1));
      if (options.labels) {
        pooled.push_back(
            pool_boxes(weights, anchors.slice(0, begin, end), faces, labels, matches.face.slice(1, begin, end)));
      }
    }
    begin = end;
  }
  return torch::cat(pooled, 1);
}

}  // namespace hyperfd
