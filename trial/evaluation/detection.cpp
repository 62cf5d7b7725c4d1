#include "trial/evaluation/detection.h"

#include <algorithm>
#include <cmath>

namespace hyperfd {

float iou(const Box& a, const Box& b) {
  const float width = std::min(a.right(), b.right()) - std::max(a.x, b.x);
  const float height = std::min(a.bottom(), b.bottom()) - std::max(a.y, b.y);
  if (width <= 0 || height <= 0) return 0;
  const float intersection = width * height;
  return intersection / (a.area() + b.area() - intersection);
}

bool has_landmarks(const Detection& detection) {
  constexpr float kSmallestSpread = 0.15f;  // of the box's longer side; even a profile spreads more from eye to mouth
  const auto& points = detection.landmarks;
  const auto is_point = [](const Point& point) { return std::isfinite(point.x) && std::isfinite(point.y); };
  if (!std::all_of(points.begin(), points.end(), is_point)) return false;
  const auto [left, right] =
      std::minmax_element(points.begin(), points.end(), [](const Point& a, const Point& b) { return a.x < b.x; });
  const auto [top, bottom] =
      std::minmax_element(points.begin(), points.end(), [](const Point& a, const Point& b) { return a.y < b.y; });
  const float spread = std::max(right->x - left->x, bottom->y - top->y);
  return spread > kSmallestSpread * std::max(detection.box.width, detection.box.height);
}

}  // namespace hyperfd
