// Shifts of the camera's and the file's quality. Faces stay where they are.
#include <cmath>

#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

#include "trial/data/shift/shift.h"

namespace hyperfd {
namespace {

void add_noise(cv::Mat& pixels, double sigma, Rng& rng) {
  if (sigma == 0) return;
  cv::Mat noise(pixels.size(), CV_16SC3);
  cv::RNG(rng.bits()).fill(noise, cv::RNG::NORMAL, cv::Scalar::all(0), cv::Scalar::all(sigma));
  cv::add(pixels, noise, pixels, cv::noArray(), CV_8U);
}

Shift make_low_light(ShiftParameters& parameters) {
  const double gain = parameters.number("gain", 0.01, 1), gamma = parameters.number("gamma", 0.2, 5);
  const double noise = parameters.number_or("noise", 0, 100, 0);
  cv::Mat table(1, 256, CV_8U);
  for (int value = 0; value < 256; ++value)
    table.at<uchar>(value) = cv::saturate_cast<uchar>(255 * gain * std::pow(value / 255.0, gamma));
  return [=](ShiftedImage& image, Rng& rng, const AnotherImage&) {
    if (image.pixels.empty()) return;
    cv::LUT(image.pixels, table, image.pixels);
    add_noise(image.pixels, noise, rng);
  };
}

Shift make_blur(ShiftParameters& parameters) {
  const double sigma = parameters.number("sigma", 0.1, 50);
  return [=](ShiftedImage& image, Rng&, const AnotherImage&) {
    if (!image.pixels.empty()) cv::GaussianBlur(image.pixels, image.pixels, {}, sigma);
  };
}

Shift make_noise(ShiftParameters& parameters) {
  const double sigma = parameters.number("sigma", 0, 200);
  return [=](ShiftedImage& image, Rng& rng, const AnotherImage&) {
    if (!image.pixels.empty()) add_noise(image.pixels, sigma, rng);
  };
}

Shift make_jpeg(ShiftParameters& parameters) {
  const int quality = parameters.integer("quality", 1, 100);
  return [=](ShiftedImage& image, Rng&, const AnotherImage&) {
    if (image.pixels.empty()) return;
    std::vector<uchar> bytes;
    cv::imencode(".jpg", image.pixels, bytes, {cv::IMWRITE_JPEG_QUALITY, quality});
    image.pixels = cv::imdecode(bytes, cv::IMREAD_COLOR);
  };
}

}  // namespace

std::vector<ShiftKind> quality_kinds() {
  return {
      {"low_light", "darkness: gain, gamma, noise (grey values)", false, make_low_light,
       [](Rng& rng) {
         return Json{{"gain", rng.uniform(0.1, 0.5)}, {"gamma", rng.uniform(1, 2)}, {"noise", rng.uniform(1, 8)}};
       }},
      {"blur", "out of focus: sigma (pixels)", false, make_blur,
       [](Rng& rng) {
         return Json{{"sigma", rng.uniform(1, 4)}};
       }},
      {"noise", "sensor noise: sigma (grey values)", false, make_noise,
       [](Rng& rng) {
         return Json{{"sigma", rng.uniform(15, 70)}};
       }},
      {"jpeg", "compression: quality", false, make_jpeg,
       [](Rng& rng) {
         return Json{{"quality", 3 + rng.below(23)}};
       }},
  };
}

}  // namespace hyperfd
