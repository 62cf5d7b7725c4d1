#include "trial/data/augmentation.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include <opencv2/imgproc.hpp>

namespace hyperfd {
namespace {

constexpr int kCropTries = 50;
const cv::Scalar kImagenetMean(104, 117, 123);
constexpr std::array<float, 5> kCropRatios{0.3f, 0.45f, 0.6f, 0.8f, 1.0f};

bool holds(const cv::Rect& crop, const Box& box) {
  return box.x >= static_cast<float>(crop.x) && box.y >= static_cast<float>(crop.y) &&
         box.right() <= static_cast<float>(crop.x + crop.width) &&
         box.bottom() <= static_cast<float>(crop.y + crop.height);
}

// The crop's pixels, shared with `image` where it lies inside, else a copy with a border.
cv::Mat pixels_in(const cv::Mat& image, const cv::Rect& crop) {
  const cv::Rect inside = crop & cv::Rect({0, 0}, image.size());
  if (inside == crop) return image(crop);
  cv::Mat padded;
  cv::copyMakeBorder(image(inside), padded, inside.y - crop.y, crop.br().y - inside.br().y, inside.x - crop.x,
                     crop.br().x - inside.br().x, cv::BORDER_CONSTANT | cv::BORDER_ISOLATED, kImagenetMean);
  return padded;
}

// The same for a crop far beyond the image, resized to `size`: what is inside is, and then gets its border.
constexpr int kLargestPadded = 8192;
cv::Mat small_pixels_in(const cv::Mat& image, const cv::Rect& crop, cv::Size size, int interpolation) {
  const cv::Rect inside = crop & cv::Rect({0, 0}, image.size());
  const double scale = static_cast<double>(size.width) / crop.width;
  const auto scaled = [&](int length) { return std::max(1, static_cast<int>(std::lround(length * scale))); };
  cv::Mat small;
  cv::resize(image(inside), small, {scaled(inside.width), scaled(inside.height)}, 0, 0, interpolation);
  const cv::Rect place = cv::Rect(static_cast<int>((inside.x - crop.x) * scale),
                                  static_cast<int>((inside.y - crop.y) * scale), small.cols, small.rows) &
                         cv::Rect({0, 0}, size);
  cv::Mat padded(size, image.type(), kImagenetMean);
  small(cv::Rect({0, 0}, place.size())).copyTo(padded(place));
  return padded;
}

bool coin(Rng& rng) {
  return rng.below(2) == 1;
}

}  // namespace

cv::Rect choose_crop(cv::Size image, const std::vector<Face>& faces, float minimum_crop_ratio, Rng& rng) {
  std::vector<float> ratios{minimum_crop_ratio};
  std::copy_if(kCropRatios.begin(), kCropRatios.end(), std::back_inserter(ratios),
               [&](float ratio) { return ratio > minimum_crop_ratio; });
  const int shorter = std::min(image.width, image.height), longer = std::max(image.width, image.height);
  const bool any = std::none_of(faces.begin(), faces.end(), [](const Face& face) { return !face.ignored; });
  for (int i = 0; i < kCropTries; ++i) {
    const float ratio = ratios[rng.below(ratios.size())];
    const int side = std::clamp(static_cast<int>(std::lround(ratio * static_cast<float>(shorter))), 1, shorter);
    const auto place = [&](int length) {
      return static_cast<int>(rng.below(static_cast<std::uint64_t>(length - side + 1)));
    };
    const int x = place(image.width), y = place(image.height);
    const cv::Rect crop(x, y, side, side);
    if (any || std::any_of(faces.begin(), faces.end(),
                           [&](const Face& face) { return !face.ignored && holds(crop, face.box); })) {
      return crop;
    }
  }
  return {0, 0, longer, longer};
}

std::vector<Face> faces_in_crop(const std::vector<Face>& faces, const cv::Rect& crop, int crop_size) {
  const auto x = static_cast<float>(crop.x), y = static_cast<float>(crop.y), side = static_cast<float>(crop.width);
  const float scale = static_cast<float>(crop_size) / side;
  std::vector<Face> kept;
  for (const Face& face : faces) {
    const float centre_x = face.box.x + face.box.width / 2 - x, centre_y = face.box.y + face.box.height / 2 - y;
    const bool is_outside = centre_x <= 0 || centre_y <= 0 || centre_x >= side || centre_y >= side;
    if (is_outside && !face.ignored) continue;
    const float left = std::max(face.box.x - x, 0.0f), top = std::max(face.box.y - y, 0.0f);
    const float right = std::min(face.box.right() - x, side), bottom = std::min(face.box.bottom() - y, side);
    Face moved;
    moved.box = {left * scale, top * scale, (right - left) * scale, (bottom - top) * scale};
    moved.ignored = face.ignored;
    if (moved.box.width < 1 || moved.box.height < 1) continue;
    if (face.landmarks) {
      moved.landmarks = face.landmarks;
      for (Point& point : *moved.landmarks) point = {(point.x - x) * scale, (point.y - y) * scale};
      const auto outside = [&](const Point& point) {
        const auto size = static_cast<float>(crop_size);
        return point.x < 0 || point.y < 0 || point.x > size || point.y > size;
      };
      if (std::any_of(moved.landmarks->begin(), moved.landmarks->end(), outside)) moved.landmarks.reset();
    }
    kept.push_back(moved);
  }
  return kept;
}

void flip_faces(std::vector<Face>& faces, float width) {
  for (Face& face : faces) {
    face.box.x = width - face.box.right();
    if (!face.landmarks) continue;
    for (Point& point : *face.landmarks) point.x = width - point.x;
    std::swap((*face.landmarks)[0], (*face.landmarks)[1]);  // eyes
    std::swap((*face.landmarks)[3], (*face.landmarks)[4]);  // mouth corners
  }
}

void distort_colour(cv::Mat& pixels, Rng& rng) {
  const bool contrast_first = coin(rng);
  const double brightness = coin(rng) ? rng.uniform(-32, 32) : 0;
  const double contrast = coin(rng) ? rng.uniform(0.5, 1.5) : 1;
  const double saturation = coin(rng) ? rng.uniform(0.5, 1.5) : 1;
  const int hue = coin(rng) ? static_cast<int>(rng.below(37)) - 18 : 0;

  const double first_contrast = contrast_first ? contrast : 1;
  if (brightness != 0 || first_contrast != 1) {
    pixels.convertTo(pixels, -1, first_contrast, first_contrast * brightness);
  }
  if (saturation != 1 || hue != 0) {
    cv::Mat table(1, 256, CV_8UC3), hsv;
    for (int i = 0; i < 256; ++i) {
      table.at<cv::Vec3b>(i) = {static_cast<uchar>((i + hue + 180) % 180), cv::saturate_cast<uchar>(i * saturation),
                                static_cast<uchar>(i)};
    }
    cv::cvtColor(pixels, hsv, cv::COLOR_BGR2HSV);
    cv::LUT(hsv, table, hsv);
    cv::cvtColor(hsv, pixels, cv::COLOR_HSV2BGR);
  }
  if (!contrast_first && contrast != 1) pixels.convertTo(pixels, -1, contrast);
}

void augment(const cv::Mat& image, const std::vector<Face>& faces, const AugmentationOptions& options, Rng& rng,
             cv::Mat& output, std::vector<Face>& output_faces) {
  constexpr std::array<int, 5> kInterpolations{cv::INTER_LINEAR, cv::INTER_CUBIC, cv::INTER_AREA, cv::INTER_NEAREST,
                                               cv::INTER_LANCZOS4};
  const cv::Rect crop = choose_crop(image.size(), faces, options.minimum_crop_ratio, rng);
  const bool flip = rng.uniform() < options.flip_probability;
  const int interpolation = kInterpolations[rng.below(kInterpolations.size())];
  const cv::Size size(options.crop_size, options.crop_size);
  output_faces = faces_in_crop(faces, crop, options.crop_size);
  if (flip) flip_faces(output_faces, static_cast<float>(options.crop_size));

  const bool is_huge = crop.width > kLargestPadded && crop.width > options.crop_size;
  cv::Mat source = is_huge ? small_pixels_in(image, crop, size, interpolation) : pixels_in(image, crop);
  const bool early = crop.width < options.crop_size;
  const auto alter = [&](cv::Mat& pixels) {
    if (flip) cv::flip(pixels, pixels, 1);
    if (options.colour) distort_colour(pixels, rng);
  };
  if (early) {
    source = source.clone();
    alter(source);
  }
  cv::resize(source, output, size, 0, 0, interpolation);
  if (!early) alter(output);
}

}  // namespace hyperfd
