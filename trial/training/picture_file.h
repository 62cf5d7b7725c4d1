#pragma once

#include <string>

#include <opencv2/core/mat.hpp>

namespace hyperfd {

// Writes a PNG atomically. Throws Error that names the file.
void write_picture(const std::string& file, const cv::Mat& picture);

}  // namespace hyperfd
