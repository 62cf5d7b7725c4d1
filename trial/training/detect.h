#pragma once

#include <vector>

#include <opencv2/core/mat.hpp>

#include "trial/data/loader.h"
#include "trial/evaluation/detection.h"
#include "trial/training/trained_detector.h"

namespace hyperfd {

// The factor by which an image is resized before the detector sees it, so that its shorter side is `evaluation_side`.
double evaluation_scale(cv::Size size, const Recipe& recipe);

// Throws InputError that names `file` when an image of that size would be resized to more than kMostEvaluatedPixels,
// which takes more memory than machines have: a long and narrow one, say.
constexpr double kMostEvaluatedPixels = 1 << 26;
void check_detectable(cv::Size size, const Recipe& recipe, const std::string& file);

// The image (BGR, 8 bits) at that size.
cv::Mat resize_for_evaluation(const cv::Mat& image, const Recipe& recipe);

// An image of a data set in `folder` with its faces, both at that size. Throws InputError when it cannot be read or is
// not detectable.
Sample read_for_evaluation(const std::string& folder, const AnnotatedImage& image, const Recipe& recipe);
// The same of its pixels, which are there already.
Sample resize_for_evaluation(const cv::Mat& pixels, const AnnotatedImage& image, const std::string& folder,
                             const Recipe& recipe);

// The faces in one image, in its own pixels, strongest first. The network is on `device`.
std::vector<Detection> detect_faces(TrainedDetector& detector, torch::Device device, const cv::Mat& image);

}  // namespace hyperfd
