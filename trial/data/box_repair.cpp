#include "trial/data/box_repair.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace hyperfd {

std::optional<Box> usable_box(const Box& box, int width, int height, const std::string& example, Warnings& warnings) {
  if (!std::isfinite(box.x) || !std::isfinite(box.y) || !std::isfinite(box.right()) || !std::isfinite(box.bottom())) {
    warnings.add("boxes with numbers that are none, dropped", example);
    return std::nullopt;
  }
  if (box.width <= 0 || box.height <= 0) {
    warnings.add("boxes without width or height, dropped", example);
    return std::nullopt;
  }
  const float infinity = std::numeric_limits<float>::infinity();
  const float left = std::max(box.x, 0.0f), top = std::max(box.y, 0.0f);
  const float right = std::min(box.right(), width > 0 ? static_cast<float>(width) : infinity);
  const float bottom = std::min(box.bottom(), height > 0 ? static_cast<float>(height) : infinity);
  if (right <= left || bottom <= top) {
    warnings.add("boxes outside their image, dropped", example);
    return std::nullopt;
  }
  if (left - box.x > 0.5f || top - box.y > 0.5f || box.right() - right > 0.5f || box.bottom() - bottom > 0.5f) {
    warnings.add("boxes reaching over their image's edge, clipped", example);
  }
  return Box{left, top, right == box.right() && left == box.x ? box.width : right - left,
             bottom == box.bottom() && top == box.y ? box.height : bottom - top};
}

}  // namespace hyperfd
