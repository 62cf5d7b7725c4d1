#pragma once

#include <vector>

#include "trial/evaluation/coco_average_precision.h"
#include "tuner/base/json.h"

namespace hyperfd {

// How good detections are, by the three rules that people compare. All in [0, 1]; COCO's are −1 without a face.
struct Scores {
  double ap50_area = 0;       // average_precision()
  CocoAveragePrecision coco;  // knows no minimum size; what pycocotools says, which takes annotation id 0 for none
  // wider_precision_recall(): AP, and the two at the lowest threshold, where all detections are taken.
  double wider_ap = 0, wider_precision = 0, wider_recall = 0;
  std::size_t images = 0, faces = 0, detections = 0;  // faces that count at `minimum_size`
};

// Faces with a side under `minimum_size` pixels are ignored (not by COCO's rule). Throws InputError when a score is not
// a number.
Scores score_detections(const std::vector<ImageBoxes>& images, double minimum_size);

// {"ap50_area": …, "coco": {"AP": …, "AP50": …, "AP75": …}, "wider": {"AP": …, "precision": …, "recall": …},
// "images": …, "faces": …, "detections": …}
Json to_json(const Scores& scores);

}  // namespace hyperfd
