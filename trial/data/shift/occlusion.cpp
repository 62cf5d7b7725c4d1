#include <algorithm>
#include <cmath>

#include <opencv2/imgproc.hpp>

#include "trial/data/shift/shift.h"

namespace hyperfd {
namespace {

cv::Scalar random_colour(Rng& rng) {
  return {rng.uniform(0, 255), rng.uniform(0, 255), rng.uniform(0, 255)};
}

// A cloth over the part of the face between two heights (shares of the box), plain or striped, with a curved edge.
void cover(cv::Mat& pixels, const Box& face, double from, double to, Rng& rng) {
  const double bulge = rng.uniform(0, 0.12) * face.height, widen = rng.uniform(0.9, 1.05) * face.width / 2;
  const double middle = face.x + face.width / 2, top = face.y + from * face.height, bottom = face.y + to * face.height;
  std::vector<cv::Point> outline;
  constexpr int kPoints = 12, kShift = 4;  // sub-pixel coordinates
  const auto add = [&](double t, double y) {
    outline.emplace_back(cvRound((middle + t * widen) * (1 << kShift)), cvRound(y * (1 << kShift)));
  };
  for (int i = 0; i <= kPoints; ++i) {
    const double t = 2.0 * i / kPoints - 1;
    add(t, top - bulge * (1 - t * t));
  }
  for (int i = kPoints; i >= 0; --i) {
    const double t = 2.0 * i / kPoints - 1;
    add(t * 0.9, bottom + bulge * (1 - t * t));
  }
  const cv::Scalar cloth = random_colour(rng), stripe = random_colour(rng);
  cv::Mat mask = cv::Mat::zeros(pixels.size(), CV_8U);
  cv::fillPoly(mask, std::vector<std::vector<cv::Point>>{outline}, cv::Scalar(255), cv::LINE_8, kShift);
  pixels.setTo(cloth, mask);
  if (rng.below(2) == 0) return;
  const int width = std::max(1, cvRound(face.height * rng.uniform(0.03, 0.1)));
  for (int y = std::max(0, static_cast<int>(top - bulge)); y < std::min<double>(pixels.rows, bottom + bulge);
       y += 2 * width) {
    const cv::Rect band(0, y, pixels.cols, std::min(width, pixels.rows - y));
    pixels(band).setTo(stripe, mask(band));
  }
}

Shift make_occlusion(ShiftParameters& parameters) {
  const bool lower = parameters.choice("part", {"lower", "upper"}) == "lower";
  const double height = parameters.number("height", 0.1, 0.9), share = parameters.number("share", 0, 1);
  return [=](ShiftedImage& image, Rng& rng, const AnotherImage&) {
    if (image.pixels.empty()) return;  // faces stay where they are
    for (const Face& face : image.faces) {
      if (rng.uniform() >= share) continue;
      const double edge = std::clamp(height + rng.uniform(-0.05, 0.05), 0.05, 0.95);
      if (lower)
        cover(image.pixels, face.box, 1 - edge, 1, rng);
      else
        cover(image.pixels, face.box, 0.05, edge, rng);
    }
  };
}

}  // namespace

std::vector<ShiftKind> occluding_kinds() {
  return {{"occlude", "cloth over faces: part (lower, upper), height (share of the face), share (of the faces)", false,
           make_occlusion, [](Rng& rng) {
             return Json{{"part", rng.below(2) ? "lower" : "upper"},
                         {"height", rng.uniform(0.35, 0.7)},
                         {"share", rng.uniform(0.5, 1)}};
           }}};
}

}  // namespace hyperfd
