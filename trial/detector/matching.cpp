#include "trial/detector/matching.h"

#include <algorithm>
#include <utility>

#include "trial/detector/box_coding.h"
#include "trial/detector/vector_clones.h"

namespace hyperfd {
namespace {

// An anchor is on an ignored face when this share of its area is (MMDetection's ignore_iof_thr).
constexpr float kIgnoredShare = 0.5f;

// Anchors, coordinate by coordinate.
struct Anchors {
  std::vector<float> left, top, right, bottom, area;

  explicit Anchors(const torch::Tensor& anchors) {
    const torch::Tensor corners = corners_of(anchors);
    const torch::Tensor areas = anchors.select(1, 2) * anchors.select(1, 3);
    const auto copy = [](const torch::Tensor& values, std::vector<float>& numbers) {
      const torch::Tensor dense = values.contiguous();
      numbers.assign(dense.data_ptr<float>(), dense.data_ptr<float>() + dense.numel());
    };
    copy(corners.select(1, 0), left);
    copy(corners.select(1, 1), top);
    copy(corners.select(1, 2), right);
    copy(corners.select(1, 3), bottom);
    copy(areas, area);
  }
  std::size_t size() const { return left.size(); }
};

// `box`: left, top, right, bottom. Writes the areas that it shares with each anchor, and what they are of both
// together.
HYPERFD_VECTOR_CLONES
void overlaps_of(const Anchors& anchors, const float* box, std::size_t count, float* __restrict shared,
                 float* __restrict iou) {
  const float left = box[0], top = box[1], right = box[2], bottom = box[3];
  const float area = (right - left) * (bottom - top);
  const float *anchor_left = anchors.left.data(), *anchor_top = anchors.top.data();
  const float *anchor_right = anchors.right.data(), *anchor_bottom = anchors.bottom.data();
  const float* anchor_area = anchors.area.data();
  for (std::size_t i = 0; i < count; ++i) {
    const float width = std::min(anchor_right[i], right) - std::max(anchor_left[i], left);
    const float height = std::min(anchor_bottom[i], bottom) - std::max(anchor_top[i], top);
    shared[i] = std::max(width, 0.0f) * std::max(height, 0.0f);
    iou[i] = shared[i] / (anchor_area[i] + area - shared[i]);
  }
}

HYPERFD_VECTOR_CLONES
void keep_larger(const float* iou, int face, std::size_t count, float* __restrict best_iou, int* __restrict best_face) {
  for (std::size_t i = 0; i < count; ++i) {
    best_face[i] = iou[i] > best_iou[i] ? face : best_face[i];
    best_iou[i] = std::max(iou[i], best_iou[i]);
  }
}

// Matches the faces of one image: rows of `boxes`; writes a label and a face for each anchor.
class ImageMatcher {
 public:
  ImageMatcher(const Anchors& anchors, const MatchingOptions& options)
      : anchors_(anchors),
        options_(options),
        shared_(anchors.size()),
        iou_(anchors.size()),
        best_iou_(anchors.size()),
        best_face_(anchors.size()),
        on_ignored_(anchors.size()) {}

  void match(const float* boxes, const bool* present, const bool* ignored, std::int64_t faces, std::int64_t* labels,
             std::int64_t* face) {
    const std::size_t count = anchors_.size();
    std::fill(best_iou_.begin(), best_iou_.end(), -1.0f);
    std::fill(best_face_.begin(), best_face_.end(), 0);
    std::fill(on_ignored_.begin(), on_ignored_.end(), 0);
    std::vector<std::pair<std::size_t, std::int64_t>> claims;  // anchor, face
    for (std::int64_t j = 0; j < faces; ++j) {
      if (!present[j] && !ignored[j]) continue;
      overlaps_of(anchors_, boxes + 4 * j, count, shared_.data(), iou_.data());
      if (ignored[j]) {
        for (std::size_t i = 0; i < count; ++i)
          on_ignored_[i] |= shared_[i] >= kIgnoredShare * anchors_.area[i] || iou_[i] >= options_.negative_iou;
      }
      if (!present[j]) continue;
      keep_larger(iou_.data(), static_cast<int>(j), count, best_iou_.data(), best_face_.data());
      const auto best = std::max_element(iou_.begin(), iou_.end());
      if (*best >= options_.minimum_best_iou) claims.emplace_back(best - iou_.begin(), j);
    }
    for (std::size_t i = 0; i < count; ++i) {
      labels[i] = best_iou_[i] >= options_.positive_iou                     ? 1
                  : best_iou_[i] >= options_.negative_iou || on_ignored_[i] ? -1
                                                                            : 0;
      face[i] = best_face_[i];
    }
    for (const auto& [anchor, owner] : claims) {
      labels[anchor] = 1;
      face[anchor] = owner;
    }
  }

 private:
  const Anchors& anchors_;
  const MatchingOptions& options_;
  std::vector<float> shared_, iou_, best_iou_;
  std::vector<int> best_face_;
  std::vector<char> on_ignored_;
};

}  // namespace

FaceTensors pack_faces(const std::vector<std::vector<Face>>& faces) {
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
  return tensors;
}

FaceTensors FaceTensors::to(torch::Device device) const {
  return {boxes.to(device), landmarks.to(device), present.to(device), ignored.to(device), has_landmarks.to(device)};
}

Matches match(const torch::Tensor& anchors, const FaceTensors& faces, const MatchingOptions& options) {
  const std::int64_t batch = faces.boxes.size(0), face_count = faces.boxes.size(1);
  const Anchors coordinates(anchors);
  ImageMatcher matcher(coordinates, options);
  Matches matches{torch::empty({batch, anchors.size(0)}, torch::kLong),
                  torch::empty({batch, anchors.size(0)}, torch::kLong)};
  for (std::int64_t i = 0; i < batch; ++i) {
    matcher.match(faces.boxes[i].data_ptr<float>(), faces.present[i].data_ptr<bool>(),
                  faces.ignored[i].data_ptr<bool>(), face_count, matches.labels[i].data_ptr<std::int64_t>(),
                  matches.face[i].data_ptr<std::int64_t>());
  }
  return matches;
}

}  // namespace hyperfd
