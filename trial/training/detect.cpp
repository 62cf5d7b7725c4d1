#include "trial/training/detect.h"

#include <algorithm>

#include <opencv2/imgproc.hpp>

#include "trial/detector/anchors.h"
#include "trial/detector/decoding.h"
#include "trial/training/precision.h"
#include "tuner/base/error.h"

namespace hyperfd {
namespace {

void scale(Face& face, float factor) {
  face.box = {face.box.x * factor, face.box.y * factor, face.box.width * factor, face.box.height * factor};
  if (!face.landmarks) return;
  for (Point& point : *face.landmarks) point = {point.x * factor, point.y * factor};
}

}  // namespace

double evaluation_scale(cv::Size size, const Recipe& recipe) {
  return recipe.evaluation_side == 0 ? 1
                                     : static_cast<double>(recipe.evaluation_side) / std::min(size.width, size.height);
}

void check_detectable(cv::Size size, const Recipe& recipe, const std::string& file) {
  const double scale = evaluation_scale(size, recipe);
  if (scale * size.width * scale * size.height > kMostEvaluatedPixels) {
    throw InputError(file + ": " + std::to_string(size.width) + "×" + std::to_string(size.height) +
                     " pixels are too many to detect faces in, with evaluation_side " +
                     std::to_string(recipe.evaluation_side));
  }
}

cv::Mat resize_for_evaluation(const cv::Mat& image, const Recipe& recipe) {
  const double scale = evaluation_scale(image.size(), recipe);
  if (scale == 1) return image;
  cv::Mat resized;
  cv::resize(image, resized, {}, scale, scale, scale < 1 ? cv::INTER_AREA : cv::INTER_LINEAR);
  return resized;
}

Sample read_for_evaluation(const std::string& folder, const AnnotatedImage& image, const Recipe& recipe) {
  return resize_for_evaluation(read_pixels(folder, image), image, folder, recipe);
}

Sample resize_for_evaluation(const cv::Mat& pixels, const AnnotatedImage& image, const std::string& folder,
                             const Recipe& recipe) {
  check_detectable(pixels.size(), recipe, folder + "/" + image.file);
  const auto factor = static_cast<float>(evaluation_scale(pixels.size(), recipe));
  Sample sample{resize_for_evaluation(pixels, recipe), image.faces};
  for (Face& face : sample.faces) scale(face, factor);
  return sample;
}

std::vector<Detection> detect_faces(TrainedDetector& detector, torch::Device device, const cv::Mat& image) {
  torch::NoGradGuard no_gradient;
  cv::Mat resized = resize_for_evaluation(image, detector.recipe);
  if (!resized.isContinuous()) resized = resized.clone();
  const torch::Tensor pixels = torch::from_blob(resized.data, {1, resized.rows, resized.cols, 3}, torch::kByte);
  const torch::Tensor anchors = make_anchors(resized.rows, resized.cols, detector.recipe.anchor_sizes).to(device);
  auto detections = decode(network_output(detector.network, pixels, detector.recipe.precision, device), anchors,
                           detector.recipe.decoding())
                        .front();
  const auto back = static_cast<float>(1 / evaluation_scale(image.size(), detector.recipe));
  for (Detection& detection : detections) {
    detection.box = {detection.box.x * back, detection.box.y * back, detection.box.width * back,
                     detection.box.height * back};
    for (Point& point : detection.landmarks) point = {point.x * back, point.y * back};
  }
  return detections;
}

}  // namespace hyperfd
