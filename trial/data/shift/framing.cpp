// Shifts that change what of the scene is in the picture, and how large.
#include <algorithm>
#include <cmath>

#include <opencv2/imgproc.hpp>

#include "trial/data/shift/geometry.h"

namespace hyperfd {
namespace {

// The image that `crop` shows, which lies inside.
void cut(ShiftedImage& image, const cv::Rect& crop) {
  image.faces =
      scale_and_move(image.faces, 1, 1, {static_cast<float>(-crop.x), static_cast<float>(-crop.y)}, crop.size());
  if (!image.pixels.empty()) image.pixels = image.pixels(crop).clone();
  image.size = crop.size();
}

// One of the faces that count, if there is one; those large enough to be enlarged first.
const Face* subject(const std::vector<Face>& faces, Rng& rng) {
  constexpr float kSharp = 24;  // pixels
  std::vector<const Face*> sharp, counting;
  for (const Face& face : faces) {
    if (face.ignored) continue;
    counting.push_back(&face);
    if (std::min(face.box.width, face.box.height) >= kSharp) sharp.push_back(&face);
  }
  const std::vector<const Face*>& choice = sharp.empty() ? counting : sharp;
  return choice.empty() ? nullptr : choice[rng.below(choice.size())];
}

Shift make_portrait(ShiftParameters& parameters) {
  const double margin = parameters.number("margin", 1, 10);
  const int side = parameters.integer("side", 32, 1024);
  return [=](ShiftedImage& image, Rng& rng, const AnotherImage&) {
    const Face* face = subject(image.faces, rng);
    const int most = std::min(image.size.width, image.size.height);
    // Without a face the middle of the image, so that there are portraits of nobody.
    const Box box =
        face ? face->box
             : Box{static_cast<float>(image.size.width) / 2, static_cast<float>(image.size.height) / 2, 0, 0};
    constexpr double kEnlarged = 2;  // at most so many times: more shows nothing but blur
    const double wanted = face ? std::max(margin * std::max(box.width, box.height), side / kEnlarged) : most;
    const int length = std::clamp(static_cast<int>(std::lround(wanted)), 1, most);
    const double jitter = face ? 0.1 * (length - std::max(box.width, box.height)) : 0;
    const double centre_x = box.x + box.width / 2 + jitter * rng.uniform(-1, 1);
    const double centre_y = box.y + box.height / 2 + jitter * rng.uniform(-1, 1);
    const auto corner = [&](double centre, int extent) {
      return std::clamp(static_cast<int>(std::lround(centre - length / 2.0)), 0, extent - length);
    };
    cut(image, {corner(centre_x, image.size.width), corner(centre_y, image.size.height), length, length});
    resize(image, {side, side});
  };
}

Shift make_crowd(ShiftParameters& parameters) {
  const int rows = parameters.integer("rows", 1, 8), columns = parameters.integer("columns", 1, 8);
  const int side = parameters.integer("side", 64, 2048);
  return [=](ShiftedImage& image, Rng& rng, const AnotherImage& another) {
    const cv::Size cell(side / std::max(rows, columns), side / std::max(rows, columns));
    ShiftedImage crowd;
    crowd.size = {cell.width * columns, cell.height * rows};
    if (!image.pixels.empty()) crowd.pixels = cv::Mat::zeros(crowd.size, CV_8UC3);
    const auto own = static_cast<int>(rng.below(static_cast<std::uint64_t>(rows * columns)));
    for (int i = 0; i < rows * columns; ++i) {
      ShiftedImage member = i == own ? std::move(image) : another(rng);
      const double scale = std::min(static_cast<double>(cell.width) / member.size.width,
                                    static_cast<double>(cell.height) / member.size.height);
      const cv::Size size(std::clamp(static_cast<int>(std::lround(member.size.width * scale)), 1, cell.width),
                          std::clamp(static_cast<int>(std::lround(member.size.height * scale)), 1, cell.height));
      resize(member, size);
      const cv::Rect place(i % columns * cell.width + (cell.width - size.width) / 2,
                           i / columns * cell.height + (cell.height - size.height) / 2, size.width, size.height);
      for (const Face& face :
           scale_and_move(member.faces, 1, 1, {static_cast<float>(place.x), static_cast<float>(place.y)}, crowd.size))
        crowd.faces.push_back(face);
      if (!crowd.pixels.empty()) member.pixels.copyTo(crowd.pixels(place));
    }
    image = std::move(crowd);
  };
}

Shift make_rotation(ShiftParameters& parameters) {
  const double degrees = parameters.number("degrees", -360, 360);
  const double spread = parameters.number_or("spread", 0, 180, 0);
  return [=](ShiftedImage& image, Rng& rng, const AnotherImage&) {
    const double radians = (degrees + spread * rng.uniform(-1, 1)) * CV_PI / 180;
    // Right angles stay exact.
    const auto exact = [](double value) { return std::abs(value) < 1e-9 ? 0 : value; };
    const double c = exact(std::cos(radians)), s = exact(std::sin(radians));
    const double width = image.size.width, height = image.size.height;
    const double new_width = std::round(std::abs(width * c) + std::abs(height * s));
    const double new_height = std::round(std::abs(width * s) + std::abs(height * c));
    PointMap map;
    map.size = {static_cast<int>(new_width), static_cast<int>(new_height)};
    map.forward = [=](Point p) {
      const double x = p.x - width / 2, y = p.y - height / 2;
      return Point{static_cast<float>(x * c + y * s + new_width / 2),
                   static_cast<float>(y * c - x * s + new_height / 2)};
    };
    map.inverse = [=](Point p) {
      const double x = p.x - new_width / 2, y = p.y - new_height / 2;
      return Point{static_cast<float>(x * c - y * s + width / 2), static_cast<float>(y * c + x * s + height / 2)};
    };
    warp(image, map);
  };
}

Shift make_low_resolution(ShiftParameters& parameters) {
  const double scale = parameters.number("scale", 0.02, 1);
  return [=](ShiftedImage& image, Rng&, const AnotherImage&) {
    resize(image, {std::max(1, static_cast<int>(std::lround(image.size.width * scale))),
                   std::max(1, static_cast<int>(std::lround(image.size.height * scale)))});
  };
}

}  // namespace

std::vector<ShiftKind> framing_kinds() {
  return {
      {"portrait", "a square crop around one face, enlarged twice at most: margin (in face sizes), side (pixels)", true,
       make_portrait,
       [](Rng& rng) {
         return Json{{"margin", rng.uniform(1.3, 3)}, {"side", 80 + rng.below(121)}};
       }},
      {"crowd", "rows × columns of images of the same split in a picture of `side` pixels", true, make_crowd,
       [](Rng& rng) {
         return Json{{"rows", 2 + rng.below(2)}, {"columns", 2 + rng.below(2)}, {"side", 400 + rng.below(241)}};
       }},
      {"rotate", "degrees, anticlockwise, ± spread; 180 is upside-down", true, make_rotation,
       [](Rng& rng) {
         const double turned[] = {90, 180, 180, 270};
         const bool tilted = rng.below(3) == 0;
         return Json{{"degrees", tilted ? rng.uniform(-70, 70) : turned[rng.below(4)]},
                     {"spread", rng.below(2) ? rng.uniform(5, 30) : 0}};
       }},
      {"low_resolution", "the image made smaller: scale", true, make_low_resolution,
       [](Rng& rng) {
         return Json{{"scale", rng.uniform(0.25, 0.6)}};
       }},
  };
}

}  // namespace hyperfd
