#pragma once

#include <vector>

#include "trial/evaluation/detection.h"

namespace hyperfd {

// Non-maximum suppression: detections in falling order of score (equal scores keep their order), each kept unless a
// kept one overlaps it by more than `iou_threshold`; at most `maximum` are kept.
std::vector<Detection> suppress(std::vector<Detection> detections, float iou_threshold, int maximum);

}  // namespace hyperfd
