#include "trial/evaluation/average_precision.h"

#include <algorithm>
#include <string>

#include "trial/evaluation/precision_recall.h"
#include "tuner/base/error.h"

namespace hyperfd {

double average_precision(const std::vector<std::vector<Detection>>& detections,
                         const std::vector<std::vector<Face>>& faces, float iou_threshold, float minimum_size) {
  if (detections.size() != faces.size()) {
    throw InputError("average precision: detections of " + std::to_string(detections.size()) +
                     " images, but faces of " + std::to_string(faces.size()));
  }
  ScoredVerdicts all;
  ImageBoxes image;
  for (std::size_t i = 0; i < faces.size(); ++i) {
    image.detections.clear();
    image.truths.clear();
    for (const auto& [box, score, landmarks] : detections[i]) {
      image.detections.push_back({box.x, box.y, box.width, box.height, score});
      all.scores.push_back(score);
    }
    for (const Face& face : faces[i]) {
      image.truths.push_back({face.box.x, face.box.y, face.box.width, face.box.height, face.ignored});
      all.positives += !is_ignored(image.truths.back(), minimum_size);
    }
    const std::vector<Verdict> verdicts = match_to_best_truth(image, iou_threshold, minimum_size);
    all.verdicts.insert(all.verdicts.end(), verdicts.begin(), verdicts.end());
  }
  return area_under_envelope(precision_recall(all));
}

}  // namespace hyperfd
