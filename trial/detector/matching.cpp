#include "trial/detector/matching.h"

#include <algorithm>

#include "trial/detector/box_coding.h"

namespace hyperfd {
namespace {

// An anchor is on an ignored face when this share of its area is (MMDetection's ignore_iof_thr).
constexpr double kIgnoredShare = 0.5;

// Bounds the memory of one matching step: images × anchors × faces.
constexpr std::int64_t kPairsAtOnce = 4'000'000;

struct Overlaps {
  torch::Tensor iou;           // [batch, anchors, faces]
  torch::Tensor anchor_share;  // the intersection's part of the anchor's area, same shape
};

Overlaps overlaps_of(const torch::Tensor& anchors, const torch::Tensor& boxes) {
  const torch::Tensor a = corners_of(anchors).unsqueeze(0).unsqueeze(2), b = boxes.unsqueeze(1);
  const torch::Tensor width =
      (torch::minimum(a.select(3, 2), b.select(3, 2)) - torch::maximum(a.select(3, 0), b.select(3, 0))).clamp_min_(0);
  const torch::Tensor height =
      (torch::minimum(a.select(3, 3), b.select(3, 3)) - torch::maximum(a.select(3, 1), b.select(3, 1))).clamp_min_(0);
  const torch::Tensor intersection = width.mul_(height);
  const torch::Tensor area_a = (anchors.select(1, 2) * anchors.select(1, 3)).view({1, -1, 1});
  const torch::Tensor area_b =
      ((boxes.select(2, 2) - boxes.select(2, 0)) * (boxes.select(2, 3) - boxes.select(2, 1))).unsqueeze(1);
  return {intersection / (area_a + area_b - intersection), intersection / area_a};
}

Matches match_at_once(const torch::Tensor& anchors, const FaceTensors& faces, const MatchingOptions& options) {
  const std::int64_t batch = faces.boxes.size(0), count = anchors.size(0), face_count = faces.boxes.size(1);
  const Overlaps overlaps = overlaps_of(anchors, faces.boxes);
  const torch::Tensor iou = overlaps.iou.masked_fill(~faces.present.unsqueeze(1), -1);

  auto [best_iou, best_face] = iou.max(2);
  torch::Tensor labels = torch::zeros({batch, count}, best_face.options());
  labels.masked_fill_(best_iou >= options.negative_iou, -1);
  if (faces.ignored.any().item<bool>()) {
    const torch::Tensor on_ignored =
        (overlaps.anchor_share >= kIgnoredShare).logical_or_(overlaps.iou >= options.negative_iou);
    labels.masked_fill_((on_ignored & faces.ignored.unsqueeze(1)).any(2), -1);
  }
  labels.masked_fill_(best_iou >= options.positive_iou, 1);

  // Every face's best anchor is that face's; faces without one write into a column behind the last anchor.
  const auto [face_iou, face_anchor] = iou.max(1);
  const torch::Tensor owner = torch::where(face_iou >= options.minimum_best_iou, face_anchor, count);
  torch::Tensor claimed = torch::full({batch, count + 1}, -1, best_face.options());
  for (std::int64_t i = 0; i < face_count; ++i) claimed.scatter_(1, owner.slice(1, i, i + 1), i);
  claimed = claimed.slice(1, 0, count);
  const torch::Tensor is_claimed = claimed >= 0;
  return {labels.masked_fill_(is_claimed, 1), torch::where(is_claimed, claimed, best_face)};
}

}  // namespace

FaceTensors pack_faces(const std::vector<std::vector<Face>>& faces, torch::Device device) {
  std::size_t most = 1;
  for (const auto& image : faces) most = std::max(most, image.size());
  const auto batch = static_cast<std::int64_t>(faces.size()), width = static_cast<std::int64_t>(most);
  FaceTensors tensors{torch::zeros({batch, width, 4}), torch::zeros({batch, width, 10}),
                      torch::zeros({batch, width}, torch::kBool), torch::zeros({batch, width}, torch::kBool),
                      torch::zeros({batch, width}, torch::kBool)};
  auto boxes = tensors.boxes.accessor<float, 3>();
  auto landmarks = tensors.landmarks.accessor<float, 3>();
  auto present = tensors.present.accessor<bool, 2>();
  auto ignored = tensors.ignored.accessor<bool, 2>();
  auto has_landmarks = tensors.has_landmarks.accessor<bool, 2>();
  for (std::int64_t i = 0; i < batch; ++i) {
    for (std::size_t j = 0; j < faces[static_cast<std::size_t>(i)].size(); ++j) {
      const Face& face = faces[static_cast<std::size_t>(i)][j];
      const auto k = static_cast<std::int64_t>(j);
      boxes[i][k][0] = face.box.x;
      boxes[i][k][1] = face.box.y;
      boxes[i][k][2] = face.box.right();
      boxes[i][k][3] = face.box.bottom();
      present[i][k] = !face.ignored;
      ignored[i][k] = face.ignored;
      has_landmarks[i][k] = face.landmarks.has_value();
      if (!face.landmarks) continue;
      for (std::size_t point = 0; point < 5; ++point) {
        landmarks[i][k][static_cast<std::int64_t>(2 * point)] = (*face.landmarks)[point].x;
        landmarks[i][k][static_cast<std::int64_t>(2 * point + 1)] = (*face.landmarks)[point].y;
      }
    }
  }
  for (torch::Tensor* tensor :
       {&tensors.boxes, &tensors.landmarks, &tensors.present, &tensors.ignored, &tensors.has_landmarks}) {
    *tensor = tensor->to(device);
  }
  return tensors;
}

Matches match(const torch::Tensor& anchors, const FaceTensors& faces, const MatchingOptions& options) {
  torch::NoGradGuard no_gradient;
  const std::int64_t batch = faces.boxes.size(0);
  const std::int64_t images_at_once = std::max<std::int64_t>(1, kPairsAtOnce / (anchors.size(0) * faces.boxes.size(1)));
  std::vector<torch::Tensor> labels, face;
  for (std::int64_t begin = 0; begin < batch; begin += images_at_once) {
    const std::int64_t end = std::min(batch, begin + images_at_once);
    const FaceTensors part{faces.boxes.slice(0, begin, end), faces.landmarks.slice(0, begin, end),
                           faces.present.slice(0, begin, end), faces.ignored.slice(0, begin, end),
                           faces.has_landmarks.slice(0, begin, end)};
    const Matches matches = match_at_once(anchors, part, options);
    labels.push_back(matches.labels);
    face.push_back(matches.face);
  }
  return {torch::cat(labels), torch::cat(face)};
}

}  // namespace hyperfd
