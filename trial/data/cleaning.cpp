#include "trial/data/cleaning.h"

#include <algorithm>

#include "trial/data/assignment.h"

namespace hyperfd {
namespace {

std::vector<Detection> strong_enough(const std::vector<Detection>& detections, float minimum_score) {
  std::vector<Detection> strong;
  for (const Detection& detection : detections) {
    if (detection.score >= minimum_score) strong.push_back(detection);
  }
  std::stable_sort(strong.begin(), strong.end(),
                   [](const Detection& a, const Detection& b) { return a.score > b.score; });
  return strong;
}

bool lies_in(const Box& box, const Box& region) {
  const float width = std::min(box.right(), region.right()) - std::max(box.x, region.x);
  const float height = std::min(box.bottom(), region.bottom()) - std::max(box.y, region.y);
  return width > 0 && height > 0 && width * height >= 0.5f * box.area();
}

// Whether an unmatched detection says nothing new: it lies in a region to ignore or is a second one of a known face.
bool is_redundant(const Box& box, const std::vector<Face>& faces, float replace_iou) {
  return std::any_of(faces.begin(), faces.end(), [&](const Face& face) {
    return face.ignored ? lies_in(box, face.box) : iou(box, face.box) > replace_iou;
  });
}

}  // namespace

const char* name_of(Doubt doubt) {
  return doubt == Doubt::kUnsupportedLabel ? "unsupported_label" : "uncertain_detection";
}

CleaningCounts& CleaningCounts::operator+=(const CleaningCounts& other) {
  labels += other.labels;
  replaced += other.replaced;
  added += other.added;
  landmarks_added += other.landmarks_added;
  unsupported_labels += other.unsupported_labels;
  uncertain_detections += other.uncertain_detections;
  ignored_detections += other.ignored_detections;
  return *this;
}

CleaningResult clean_labels(const std::vector<Face>& labels, const std::vector<Detection>& detections,
                            const CleaningOptions& options) {
  const std::vector<Detection> strong = strong_enough(detections, options.minimum_score);
  std::vector<std::vector<double>> overlaps(labels.size(), std::vector<double>(strong.size()));
  for (std::size_t i = 0; i < labels.size(); ++i) {
    for (std::size_t j = 0; j < strong.size(); ++j) {
      const float overlap = labels[i].ignored ? 0 : iou(labels[i].box, strong[j].box);
      if (overlap > options.replace_iou) overlaps[i][j] = overlap;
    }
  }
  const auto match = best_assignment(overlaps);

  CleaningResult result{labels, {}, {}};
  std::vector<bool> is_matched(strong.size());
  for (std::size_t i = 0; i < labels.size(); ++i) {
    Face& face = result.faces[i];
    if (face.ignored) continue;
    ++result.counts.labels;
    if (!match[i]) {
      ++result.counts.unsupported_labels;
      result.review.push_back({Doubt::kUnsupportedLabel, face.box, std::nullopt});
      continue;
    }
    const Detection& detection = strong[*match[i]];
    is_matched[*match[i]] = true;
    if (!face.landmarks && has_landmarks(detection)) {
      face.landmarks = detection.landmarks;
      ++result.counts.landmarks_added;
    }
    if (!options.landmarks_only) {
      face.box = detection.box;
      ++result.counts.replaced;
    }
  }
  if (options.landmarks_only) return result;

  for (std::size_t j = 0; j < strong.size(); ++j) {
    const Detection& detection = strong[j];
    if (is_matched[j]) continue;
    if (is_redundant(detection.box, result.faces, options.replace_iou)) {
      ++result.counts.ignored_detections;
    } else if (detection.score > options.add_score) {
      Face face{detection.box, false, std::nullopt};
      if (has_landmarks(detection)) face.landmarks = detection.landmarks;
      result.faces.push_back(face);
      ++result.counts.added;
    } else {
      ++result.counts.uncertain_detections;
      result.review.push_back({Doubt::kUncertainDetection, detection.box, detection.score});
    }
  }
  return result;
}

}  // namespace hyperfd
