#include "trial/data/image_statistics.h"

#include <algorithm>
#include <cmath>

#include <opencv2/imgproc.hpp>

namespace hyperfd {
namespace {

void append(std::vector<float>& numbers, const cv::Scalar& values, int count) {
  for (int i = 0; i < count; ++i) numbers.push_back(static_cast<float>(values[i]));
}

// Shares of the weight in `bins` equal parts of [0, end), to which values are equal modulo `end`.
void append_shares(std::vector<float>& numbers, const cv::Mat& values, const cv::Mat& weights, int bins, float end) {
  std::vector<double> sums(static_cast<std::size_t>(bins));
  double total = 0;
  for (int y = 0; y < values.rows; ++y) {
    for (int x = 0; x < values.cols; ++x) {
      const int bin = static_cast<int>(std::fmod(values.at<float>(y, x), end) / end * static_cast<float>(bins));
      sums[static_cast<std::size_t>(std::clamp(bin, 0, bins - 1))] += static_cast<double>(weights.at<float>(y, x));
      total += static_cast<double>(weights.at<float>(y, x));
    }
  }
  for (const double sum : sums) numbers.push_back(static_cast<float>(total > 0 ? sum / total : 0));
}

}  // namespace

std::vector<float> label_statistics(const std::vector<Face>& faces, cv::Size size) {
  std::vector<float> statistics(7);
  if (faces.empty()) return statistics;
  const double image_area = std::max(1.0, static_cast<double>(size.area()));
  std::vector<double> sides;
  for (const Face& face : faces) sides.push_back(std::sqrt(static_cast<double>(face.box.area()) / image_area));
  const auto count = static_cast<double>(sides.size());
  double mean = 0, moments[3] = {};
  for (const double side : sides) mean += side / count;
  for (const double side : sides) {
    for (int power = 2; power <= 4; ++power) moments[power - 2] += std::pow(side - mean, power) / count;
  }
  const double variance = moments[0];
  const auto [smallest, largest] = std::minmax_element(sides.begin(), sides.end());
  const bool varies = variance > 1e-12;
  const double values[] = {count,
                           *smallest,
                           *largest,
                           mean,
                           count > 1 ? variance * count / (count - 1) : 0,
                           varies ? moments[1] / std::pow(variance, 1.5) : 0,
                           varies ? moments[2] / (variance * variance) - 3 : 0};
  std::transform(std::begin(values), std::end(values), statistics.begin(),
                 [](double v) { return static_cast<float>(v); });
  return statistics;
}

std::vector<float> colour_statistics(const cv::Mat& pixels) {
  std::vector<float> statistics;
  cv::Mat lab, hsv;
  cv::cvtColor(pixels, lab, cv::COLOR_BGR2Lab);
  cv::Scalar mean, deviation;
  cv::meanStdDev(lab, mean, deviation);
  append(statistics, mean, 3);
  append(statistics, deviation, 3);
  cv::Mat scaled;
  pixels.convertTo(scaled, CV_32F, 1 / 255.0);
  cv::cvtColor(scaled, hsv, cv::COLOR_BGR2HSV);
  std::vector<cv::Mat> channels;
  cv::split(hsv, channels);
  append_shares(statistics, channels[0], channels[1], 12, 360);
  return statistics;
}

std::vector<float> gradient_statistics(const cv::Mat& pixels) {
  std::vector<float> statistics;
  cv::Mat grey, dx, dy, magnitude, angle, laplacian;
  cv::cvtColor(pixels, grey, cv::COLOR_BGR2GRAY);
  cv::Sobel(grey, dx, CV_32F, 1, 0);
  cv::Sobel(grey, dy, CV_32F, 0, 1);
  cv::cartToPolar(dx, dy, magnitude, angle, true);
  append_shares(statistics, angle, magnitude, 9, 180);
  cv::Scalar mean, deviation;
  cv::meanStdDev(magnitude, mean, deviation);
  append(statistics, mean, 1);
  append(statistics, deviation, 1);
  cv::Laplacian(grey, laplacian, CV_32F);
  cv::meanStdDev(laplacian, mean, deviation);
  append(statistics, deviation, 1);
  return statistics;
}

}  // namespace hyperfd
