#pragma once

#include <vector>

#include "trial/evaluation/matching.h"
#include "trial/evaluation/precision_recall.h"

namespace hyperfd {

// COCO's box metrics over all box sizes, as pycocotools gives them: 101 recalls, at most 100 detections an image.
struct CocoAveragePrecision {
  double ap = -1;    // mean over the IoU thresholds 0.50, 0.55, …, 0.95
  double ap50 = -1;  // at 0.50
  double ap75 = -1;  // at 0.75
};

// −1 everywhere when there is no box to find, as pycocotools says. An ignored truth is COCO's crowd: it takes any
// number of detections, and its overlap is the share of the detection that lies in it. Throws InputError when a score
// is not a number.
CocoAveragePrecision coco_average_precision(const std::vector<ImageBoxes>& images);

// The verdicts behind it at one IoU threshold: each detection takes the free truth that it overlaps most,
// truths that count before crowds.
ScoredVerdicts coco_verdicts(const std::vector<ImageBoxes>& images, double iou_threshold);

}  // namespace hyperfd
