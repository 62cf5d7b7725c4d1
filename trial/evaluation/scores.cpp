#include "trial/evaluation/scores.h"

#include <algorithm>

#include "trial/evaluation/average_precision.h"
#include "trial/evaluation/wider_precision_recall.h"

namespace hyperfd {
namespace {

// The same, each image's detections best first: each rule asks for that order.
std::vector<ImageBoxes> sorted(std::vector<ImageBoxes> images) {
  for (ImageBoxes& image : images) {
    const std::vector<ScoredBox> detections = image.detections;
    const std::vector<std::uint32_t> order = order_by_score(detections);
    std::transform(order.begin(), order.end(), image.detections.begin(),
                   [&](std::uint32_t d) { return detections[d]; });
  }
  return images;
}

}  // namespace

Scores score_detections(const std::vector<ImageBoxes>& given, double minimum_size) {
  const std::vector<ImageBoxes> images = sorted(given);
  Scores scores;
  scores.ap50_area = average_precision(images, 0.5, minimum_size);
  scores.coco = coco_average_precision(images);
  if (const PrecisionRecall wider = wider_precision_recall(images, minimum_size); !wider.recall.empty()) {
    scores.wider_ap = area_under_envelope(wider);
    scores.wider_precision = wider.precision.back();
    scores.wider_recall = wider.recall.back();
  }
  scores.images = images.size();
  for (const ImageBoxes& image : images) {
    scores.detections += image.detections.size();
    for (const TruthBox& truth : image.truths) scores.faces += !is_ignored(truth, minimum_size);
  }
  return scores;
}

Json to_json(const Scores& scores) {
  return {{"ap50_area", scores.ap50_area},
          {"coco", {{"AP", scores.coco.ap}, {"AP50", scores.coco.ap50}, {"AP75", scores.coco.ap75}}},
          {"wider", {{"AP", scores.wider_ap}, {"precision", scores.wider_precision}, {"recall", scores.wider_recall}}},
          {"images", scores.images},
          {"faces", scores.faces},
          {"detections", scores.detections}};
}

}  // namespace hyperfd
