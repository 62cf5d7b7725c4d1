#pragma once

#include <vector>

#include "trial/evaluation/detection.h"

namespace hyperfd {

// AP at one IoU threshold, as MMDetection computes it in its `area` mode: detections of all images sorted by score, each
// matched to the unmatched face of highest IoU in its image; area under the precision envelope over recall.
// Detections that match an ignored face, or that are smaller than `minimum_size` on either side and match nothing, count neither way;
// faces with a side under `minimum_size` pixels are ignored. In [0, 1]; 0 when there is no face to find.
// detections[i] and faces[i] belong to image i.
double average_precision(const std::vector<std::vector<Detection>>& detections, const std::vector<std::vector<Face>>& faces,
                         float iou_threshold = 0.5f, float minimum_size = 0.0f);

}  // namespace hyperfd
