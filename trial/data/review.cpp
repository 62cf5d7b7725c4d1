#include "trial/data/review.h"

#include <algorithm>
#include <cmath>

#include "trial/data/drawing.h"

namespace hyperfd {
namespace {

constexpr float kContext = 3;        // sides of the picture per side of the box
constexpr float kSmallestSide = 64;  // pixels; a tiny face needs its surroundings

cv::Rect surroundings(const Box& box, cv::Size image) {
  const float side = std::max(kContext * std::max(box.width, box.height), kSmallestSide);
  const float centre_x = box.x + box.width / 2, centre_y = box.y + box.height / 2;
  const auto pixel = [](float value, int limit) {
    return static_cast<int>(std::clamp(std::round(value), 0.0f, static_cast<float>(limit)));
  };
  const cv::Point corner(pixel(centre_x - side / 2, image.width - 1), pixel(centre_y - side / 2, image.height - 1));
  const cv::Point opposite(pixel(centre_x + side / 2, image.width), pixel(centre_y + side / 2, image.height));
  return {corner, cv::Size(std::max(1, opposite.x - corner.x), std::max(1, opposite.y - corner.y))};
}

}  // namespace

cv::Mat draw_review(const cv::Mat& image, const ReviewItem& item, const std::vector<Face>& labels,
                    const std::vector<Detection>& detections) {
  const cv::Rect part = surroundings(item.box, image.size());
  const auto x = static_cast<float>(part.x), y = static_cast<float>(part.y);
  std::vector<Face> faces = labels;
  for (Face& face : faces) face.box = {face.box.x - x, face.box.y - y, face.box.width, face.box.height};
  std::vector<Detection> found = detections;
  for (Detection& detection : found) {
    detection.box = {detection.box.x - x, detection.box.y - y, detection.box.width, detection.box.height};
    for (Point& point : detection.landmarks) point = {point.x - x, point.y - y};
  }
  const auto is_outside = [&](const Detection& detection) {
    return detection.box.right() < 0 || detection.box.bottom() < 0 ||
           detection.box.x > static_cast<float>(part.width) || detection.box.y > static_cast<float>(part.height);
  };
  // Their labels would be moved to the picture's edge.
  found.erase(std::remove_if(found.begin(), found.end(), is_outside), found.end());
  return draw_detections(image(part), found, faces);
}

}  // namespace hyperfd
