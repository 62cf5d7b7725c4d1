#include "trial/data/drawing.h"

#include <algorithm>
#include <cmath>
#include <string>

#include <opencv2/imgproc.hpp>

namespace hyperfd {
namespace {

constexpr int kSmallestLongerSide = 600;  // pixels
constexpr int kGap = 6;                   // pixels between cells
const cv::Scalar kFace(80, 200, 60), kIgnored(150, 150, 150), kDetection(20, 120, 255), kText(255, 255, 255);
const cv::Scalar kBackground(32, 32, 32);

class Canvas {
 public:
  explicit Canvas(const cv::Mat& image) {
    const int longer = std::max({image.cols, image.rows, 1});
    scale_ = std::max(1.0f, static_cast<float>(kSmallestLongerSide) / static_cast<float>(longer));
    cv::resize(image, pixels_, {}, scale_, scale_, scale_ > 1 ? cv::INTER_CUBIC : cv::INTER_NEAREST);
  }

  void draw(const Box& box, const cv::Scalar& colour, int thickness) {
    cv::rectangle(pixels_, at(box.x, box.y), at(box.right(), box.bottom()), colour, thickness, cv::LINE_AA);
  }

  // Above the box where there is room, else inside.
  void label(const Box& box, const std::string& text, const cv::Scalar& colour) {
    constexpr double kSize = 0.5;
    const cv::Size size = cv::getTextSize(text, cv::FONT_HERSHEY_SIMPLEX, kSize, 1, nullptr);
    cv::Point corner = at(box.x, box.y) - cv::Point(1, size.height + 5);
    corner.y = std::max(corner.y, 0);
    corner.x = std::clamp(corner.x, 0, std::max(0, pixels_.cols - size.width - 4));
    cv::rectangle(pixels_, cv::Rect(corner, cv::Size(size.width + 4, size.height + 5)), colour, cv::FILLED);
    cv::putText(pixels_, text, corner + cv::Point(2, size.height + 2), cv::FONT_HERSHEY_SIMPLEX, kSize, kText, 1,
                cv::LINE_AA);
  }

  void draw(const Landmarks& landmarks, const cv::Scalar& colour) {
    for (const Point& point : landmarks) cv::circle(pixels_, at(point.x, point.y), 2, colour, cv::FILLED, cv::LINE_AA);
  }

  const cv::Mat& pixels() const { return pixels_; }

 private:
  cv::Point at(float x, float y) const {
    return {static_cast<int>(std::lround(x * scale_)), static_cast<int>(std::lround(y * scale_))};
  }

  cv::Mat pixels_;
  float scale_;
};

}  // namespace

cv::Mat draw_detections(const cv::Mat& image, const std::vector<Detection>& detections,
                        const std::vector<Face>& faces) {
  Canvas canvas(image);
  for (const Face& face : faces) canvas.draw(face.box, face.ignored ? kIgnored : kFace, 2);
  for (const Detection& detection : detections) {
    canvas.draw(detection.box, kDetection, 2);
    if (has_landmarks(detection)) canvas.draw(detection.landmarks, kDetection);
  }
  // Labels last, so that no box crosses one.
  for (const Detection& detection : detections) {
    canvas.label(detection.box, std::to_string(std::lround(detection.score * 100)), kDetection);
  }
  return canvas.pixels();
}

cv::Mat tile(const std::vector<cv::Mat>& images, int columns, cv::Size cell_size) {
  if (images.empty()) return {};
  const int count = static_cast<int>(images.size());
  columns = std::min(columns, count);
  const int rows = (count + columns - 1) / columns;
  cv::Mat sheet(rows * (cell_size.height + kGap) + kGap, columns * (cell_size.width + kGap) + kGap, CV_8UC3,
                kBackground);
  for (int i = 0; i < count; ++i) {
    const cv::Mat& image = images[static_cast<std::size_t>(i)];
    const double scale =
        std::min(static_cast<double>(cell_size.width) / image.cols, static_cast<double>(cell_size.height) / image.rows);
    const cv::Size size(std::max(1, static_cast<int>(image.cols * scale)),
                        std::max(1, static_cast<int>(image.rows * scale)));
    const cv::Point corner(kGap + i % columns * (cell_size.width + kGap) + (cell_size.width - size.width) / 2,
                           kGap + i / columns * (cell_size.height + kGap) + (cell_size.height - size.height) / 2);
    cv::Mat cell = sheet(cv::Rect(corner, size));
    cv::resize(image, cell, size, 0, 0, scale < 1 ? cv::INTER_AREA : cv::INTER_CUBIC);
  }
  return sheet;
}

}  // namespace hyperfd
