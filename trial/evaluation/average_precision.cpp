#include "trial/evaluation/average_precision.h"

#include <algorithm>
#include <string>

#include "trial/evaluation/precision_recall.h"
#include "tuner/base/error.h"

namespace hyperfd {

std::vector<ImageBoxes> image_boxes(const std::vector<std::vector<Detection>>& detections,
                                    const std::vector<std::vector<Face>>& faces) {
  if (detections.size() != faces.size()) {
    throw InputError("average precision: detections of " + std::to_string(detections.size()) +
                     " images, but faces of " + std::to_string(faces.size()));
  }
  std::vector<ImageBoxes> images(faces.size());
  for (std::size_t i = 0; i < faces.size(); ++i) {
    for (const auto& [box, score, landmarks] : detections[i]) {
      images[i].detections.push_back({box.x, box.y, box.width, box.height, score});
    }
    for (const Face& face : faces[i]) {
      images[i].truths.push_back({face.box.x, face.box.y, face.box.width, face.box.height, face.ignored});
    }
  }
  return images;
}

double average_precision(const std::vector<ImageBoxes>& images, double iou_threshold, double minimum_size) {
  ScoredVerdicts all;
  for (const ImageBoxes& image : images) {
    for (const ScoredBox& detection : image.detections) all.scores.push_back(detection.score);
    for (const TruthBox& truth : image.truths) all.positives += !is_ignored(truth, minimum_size);
    const std::vector<Verdict> verdicts = match_to_best_truth(image, iou_threshold, minimum_size);
    all.verdicts.insert(all.verdicts.end(), verdicts.begin(), verdicts.end());
  }
  return area_under_envelope(precision_recall(all));
}

double average_precision(const std::vector<std::vector<Detection>>& detections,
                         const std::vector<std::vector<Face>>& faces, float iou_threshold, float minimum_size) {
  return average_precision(image_boxes(detections, faces), iou_threshold, minimum_size);
}

}  // namespace hyperfd
