#pragma once

#include <vector>

#include <opencv2/core/mat.hpp>

#include "trial/evaluation/detection.h"

namespace hyperfd {

// A copy of `image` (BGR, 8 bits) with annotated faces in green (ignored ones grey) and detections in orange with
// their score in per cent and their landmarks, if they have any. Images with a longer side under 600 pixels are
// enlarged first, so that small faces stay legible.
cv::Mat draw_detections(const cv::Mat& image, const std::vector<Detection>& detections, const std::vector<Face>& faces);

// One picture of all `images` (BGR, 8 bits) in rows of `columns`, each scaled to fit its cell. Both arguments are > 0.
// Empty when there are no images.
cv::Mat tile(const std::vector<cv::Mat>& images, int columns, cv::Size cell_size);

}  // namespace hyperfd
