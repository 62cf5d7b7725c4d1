#include "trial/training/curves.h"

#include <algorithm>
#include <cstdio>

#include <opencv2/imgproc.hpp>

#include "trial/training/picture_file.h"

namespace hyperfd {
namespace {

const cv::Scalar kInk(60, 60, 60), kGrid(225, 225, 225), kLossColour(180, 110, 30), kPrecisionColour(40, 90, 215);
constexpr double kFontScale = 0.45;

struct Curve {
  std::string title;
  cv::Scalar colour;
  std::vector<cv::Point2d> points;  // epoch, value
  double top;                       // of the axis, which starts at 0
};

std::string axis_text(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.3g", value);
  return text;
}

void write(cv::Mat& picture, const std::string& text, cv::Point at, const cv::Scalar& colour) {
  cv::putText(picture, text, at, cv::FONT_HERSHEY_SIMPLEX, kFontScale, colour, 1, cv::LINE_AA);
}

void draw(cv::Mat& picture, const cv::Rect& area, const Curve& curve, int epochs) {
  const auto place = [&](double epoch, double value) {
    return cv::Point(area.x + cvRound(area.width * epoch / epochs),
                     area.br().y - cvRound(area.height * std::min(1.0, value / curve.top)));
  };
  constexpr int kLines = 4;
  for (int i = 0; i <= kLines; ++i) {
    const double value = curve.top * i / kLines, epoch = static_cast<double>(epochs) * i / kLines;
    cv::line(picture, place(0, value), place(epochs, value), kGrid);
    write(picture, axis_text(value), place(0, value) + cv::Point(-46, 4), kInk);
    write(picture, axis_text(epoch), place(epoch, 0) + cv::Point(-8, 18), kInk);
  }
  write(picture, curve.title, {area.x, area.y - 12}, kInk);
  write(picture, "epoch", {area.br().x - 40, area.br().y + 36}, kInk);
  for (std::size_t i = 0; i < curve.points.size(); ++i) {
    const cv::Point here = place(curve.points[i].x, curve.points[i].y);
    if (i > 0)
      cv::line(picture, place(curve.points[i - 1].x, curve.points[i - 1].y), here, curve.colour, 2, cv::LINE_AA);
    cv::circle(picture, here, 3, curve.colour, cv::FILLED, cv::LINE_AA);
  }
}

}  // namespace

void draw_curves(const std::vector<EpochReport>& epochs, const std::string& picture_file) {
  Curve loss{"training loss", kLossColour, {}, 1e-9}, precision{"AP@50, validation", kPrecisionColour, {}, 1};
  for (const EpochReport& epoch : epochs) {
    loss.points.emplace_back(epoch.epoch, epoch.loss);
    loss.top = std::max(loss.top, epoch.loss);
    if (epoch.average_precision) precision.points.emplace_back(epoch.epoch, *epoch.average_precision);
  }
  cv::Mat picture(360, 1000, CV_8UC3, cv::Scalar::all(255));
  const int last = epochs.empty() ? 1 : epochs.back().epoch;
  draw(picture, {60, 50, 400, 250}, loss, last);
  draw(picture, {560, 50, 400, 250}, precision, last);
  write_picture(picture_file, picture);
}

}  // namespace hyperfd
