#pragma once

#include <vector>

#include <opencv2/core/mat.hpp>

#include "trial/data/cleaning.h"

namespace hyperfd {

// The part of `image` (BGR, 8 bits) around an item to review, the item in the middle as far as the image allows, three
// times its size: with the labels in green (ignored ones grey) and the detections in orange.
cv::Mat draw_review(const cv::Mat& image, const ReviewItem& item, const std::vector<Face>& labels,
                    const std::vector<Detection>& detections);

}  // namespace hyperfd
