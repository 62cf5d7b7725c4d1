#pragma once

#include <vector>

#include <opencv2/core/mat.hpp>

#include "trial/evaluation/detection.h"

namespace hyperfd {

// Numbers that tell images apart, for clustering; each list always has the same length.

// Of the faces' areas, as scipy.stats.describe says it (count, smallest, largest, mean, variance, skewness, kurtosis,
// Appendix B.4). Areas are square roots relative to the image's, so that neither the image's size nor one large face
// decides alone. Faces to ignore count, too. Zeros without faces.
std::vector<float> label_statistics(const std::vector<Face>& faces, cv::Size size);

// Mean and deviation of each of Lab's channels, and the shares of 12 hues, weighted with saturation.
std::vector<float> colour_statistics(const cv::Mat& pixels);

// Shares of 9 orientations (as HOG's) weighted with magnitude, mean and deviation of the magnitude, and the deviation
// of the Laplacian, which tells sharp images from blurred ones.
std::vector<float> gradient_statistics(const cv::Mat& pixels);

}  // namespace hyperfd
