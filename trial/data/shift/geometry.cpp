#include "trial/data/shift/geometry.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include <opencv2/imgproc.hpp>

#include "trial/data/image_file.h"
#include "tuner/base/error.h"

namespace hyperfd {
namespace {

bool inside(Point point, cv::Size size) {
  return point.x >= 0 && point.y >= 0 && point.x <= static_cast<float>(size.width) &&
         point.y <= static_cast<float>(size.height);
}

// Decides by `visible_share` of the face; `face` has its new box and landmarks.
void keep(Face face, double visible_share, const std::function<bool(Point)>& visible, std::vector<Face>& kept) {
  if (!(face.box.width >= kNothing) || !(face.box.height >= kNothing)) return;
  face.ignored = face.ignored || std::min(face.box.width, face.box.height) < kSmallestFace || visible_share < 0.5;
  if (face.landmarks && !std::all_of(face.landmarks->begin(), face.landmarks->end(), visible)) face.landmarks.reset();
  kept.push_back(face);
}

class Bounds {
 public:
  void add(Point point) {
    left_ = std::min(left_, point.x), right_ = std::max(right_, point.x);
    top_ = std::min(top_, point.y), bottom_ = std::max(bottom_, point.y);
  }
  Box box() const { return {left_, top_, right_ - left_, bottom_ - top_}; }

 private:
  float left_ = 1e9f, top_ = 1e9f, right_ = -1e9f, bottom_ = -1e9f;
};

// The moved ellipse's box and how much of the ellipse is visible.
std::pair<Box, double> moved_ellipse(const Box& box, const PointMap& map, const std::function<bool(Point)>& visible) {
  constexpr int kAngles = 128, kRings = 24;
  const auto at = [&](int angle, double radius) {
    const double radians = 2 * CV_PI * angle / kAngles;
    return map.forward({static_cast<float>(box.x + box.width / 2 * (1 + radius * std::cos(radians))),
                        static_cast<float>(box.y + box.height / 2 * (1 + radius * std::sin(radians)))});
  };
  Bounds outline;
  bool whole = true;
  for (int angle = 0; angle < kAngles; ++angle) {
    const Point point = at(angle, 1);
    outline.add(point);
    whole = whole && visible(point);
  }
  if (whole) return {outline.box(), 1};
  Bounds seen;
  int points = 0, visible_points = 0;
  for (int ring = 0; ring <= kRings; ++ring) {
    const double radius = std::sqrt(static_cast<double>(ring) / kRings);  // rings of equal area
    for (int angle = 0; angle < kAngles; ++angle) {
      const Point point = at(angle, radius);
      ++points;
      if (!visible(point)) continue;
      ++visible_points;
      seen.add(point);
    }
  }
  return {seen.box(), static_cast<double>(visible_points) / points};
}

cv::Mat warped(const cv::Mat& pixels, const PointMap& map) {
  cv::Mat_<cv::Vec2f> origin(map.size);
  for (int y = 0; y < map.size.height; ++y) {
    for (int x = 0; x < map.size.width; ++x) {
      const Point here{static_cast<float>(x) + 0.5f, static_cast<float>(y) + 0.5f};
      const bool shown = !map.visible || map.visible(here);
      const Point source = shown ? map.inverse(here) : Point{-9, -9};
      origin(y, x) = {source.x - 0.5f, source.y - 0.5f};
    }
  }
  cv::Mat result;
  cv::remap(pixels, result, origin, cv::noArray(), cv::INTER_LINEAR, cv::BORDER_CONSTANT);
  return result;
}

}  // namespace

void warp(ShiftedImage& image, const PointMap& map) {
  const cv::Size size = map.size;
  if (static_cast<std::uint64_t>(size.width) * static_cast<std::uint64_t>(size.height) > kMostPixels) {
    throw InputError("would be shifted to " + std::to_string(size.width) + "×" + std::to_string(size.height) +
                     " pixels, expected at most " + std::to_string(kMostPixels));
  }
  const auto visible = [&](Point point) { return inside(point, size) && (!map.visible || map.visible(point)); };
  std::vector<Face> kept;
  for (Face face : image.faces) {
    const auto [box, share] = moved_ellipse(face.box, map, visible);
    face.box = box;
    if (face.landmarks) {
      for (Point& point : *face.landmarks) point = map.forward(point);
    }
    keep(face, share, visible, kept);
  }
  image.faces = std::move(kept);
  image.size = size;
  if (!image.pixels.empty()) image.pixels = warped(image.pixels, map);
}

std::vector<Face> scale_and_move(const std::vector<Face>& faces, float scale_x, float scale_y, Point offset,
                                 cv::Size size) {
  const auto width = static_cast<float>(size.width), height = static_cast<float>(size.height);
  const auto visible = [&](Point point) { return inside(point, size); };
  std::vector<Face> kept;
  for (Face face : faces) {
    const Box whole{face.box.x * scale_x + offset.x, face.box.y * scale_y + offset.y, face.box.width * scale_x,
                    face.box.height * scale_y};
    const float left = std::max(whole.x, 0.0f), top = std::max(whole.y, 0.0f);
    face.box = {left, top, std::min(whole.right(), width) - left, std::min(whole.bottom(), height) - top};
    if (face.landmarks) {
      for (Point& point : *face.landmarks) point = {point.x * scale_x + offset.x, point.y * scale_y + offset.y};
    }
    keep(face, static_cast<double>(face.box.area()) / whole.area(), visible, kept);
  }
  return kept;
}

void resize(ShiftedImage& image, cv::Size size) {
  const float scale_x = static_cast<float>(size.width) / static_cast<float>(image.size.width);
  const float scale_y = static_cast<float>(size.height) / static_cast<float>(image.size.height);
  image.faces = scale_and_move(image.faces, scale_x, scale_y, {}, size);
  if (!image.pixels.empty()) {
    cv::Mat resized;
    cv::resize(image.pixels, resized, size, 0, 0, scale_x < 1 ? cv::INTER_AREA : cv::INTER_LINEAR);
    image.pixels = resized;
  }
  image.size = size;
}

}  // namespace hyperfd
