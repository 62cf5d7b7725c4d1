#include <algorithm>
#include <cmath>

#include "trial/data/shift/geometry.h"

namespace hyperfd {
namespace {

// The picture as an equidistant fisheye lens (r proportional to θ) would show it if it were a flat picture that fills
// `view` degrees of the lens along its longer side, as FDDB-360 and Wider-360 turn regular pictures into fisheye ones.
Shift make_fisheye(ShiftParameters& parameters) {
  const double half_view = parameters.number("view", 60, 170) / 2 * CV_PI / 180;
  const double off_centre = parameters.number_or("off_centre", 0, 0.5, 0);
  return [=](ShiftedImage& image, Rng& rng, const AnotherImage&) {
    const int side = std::max(image.size.width, image.size.height);
    const double radius = side / 2.0, focal_length = radius / std::tan(half_view);
    const double axis_x = image.size.width / 2.0 + off_centre * image.size.width * rng.uniform(-1, 1);
    const double axis_y = image.size.height / 2.0 + off_centre * image.size.height * rng.uniform(-1, 1);
    PointMap map;
    map.size = {side, side};
    map.forward = [=](Point p) {
      const double x = p.x - axis_x, y = p.y - axis_y, distance = std::hypot(x, y);
      const double scale =
          distance > 0 ? radius * std::atan(distance / focal_length) / half_view / distance : 1;  // r / distance
      return Point{static_cast<float>(radius + x * scale), static_cast<float>(radius + y * scale)};
    };
    map.inverse = [=](Point p) {
      const double x = p.x - radius, y = p.y - radius, r = std::hypot(x, y);
      const double scale = r > 0 ? focal_length * std::tan(r / radius * half_view) / r : 1;
      return Point{static_cast<float>(axis_x + x * scale), static_cast<float>(axis_y + y * scale)};
    };
    map.visible = [=](Point p) { return std::hypot(p.x - radius, p.y - radius) <= radius; };
    warp(image, map);
  };
}

}  // namespace

ShiftKind fisheye_kind() {
  return {"fisheye", "through a fisheye lens: view (degrees along the longer side), off_centre (share of the size)",
          true, make_fisheye, [](Rng& rng) {
            return Json{{"view", rng.uniform(110, 160)}, {"off_centre", rng.uniform(0, 0.4)}};
          }};
}

}  // namespace hyperfd
