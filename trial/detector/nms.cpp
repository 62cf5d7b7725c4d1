#include "trial/detector/nms.h"

#include <algorithm>

namespace hyperfd {

std::vector<Detection> suppress(std::vector<Detection> detections, float iou_threshold, int maximum) {
  std::stable_sort(detections.begin(), detections.end(),
                   [](const Detection& a, const Detection& b) { return a.score > b.score; });
  std::vector<Detection> kept;
  for (const Detection& candidate : detections) {
    if (static_cast<int>(kept.size()) >= maximum) break;
    const bool overlapped = std::any_of(kept.begin(), kept.end(), [&](const Detection& stronger) {
      return iou(stronger.box, candidate.box) > iou_threshold;
    });
    if (!overlapped) kept.push_back(candidate);
  }
  return kept;
}

}  // namespace hyperfd
