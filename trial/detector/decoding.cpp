#include "trial/detector/decoding.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "trial/detector/box_coding.h"
#include "trial/detector/nms.h"

namespace hyperfd {
namespace {

// Pixels. A network that is broken, or hardly trained, can mean boxes that are as wide as numbers go: no faces, and no
// numbers that can be told in JSON.
constexpr float kLargestCoordinate = 1e9f;

bool is_within_reason(const Detection& detection) {
  const auto fits = [](float x) { return std::abs(x) <= kLargestCoordinate; };  // a NaN does not
  const Box& box = detection.box;
  return fits(box.x) && fits(box.y) && fits(box.width) && fits(box.height) &&
         std::all_of(detection.landmarks.begin(), detection.landmarks.end(),
                     [&](const auto& point) { return fits(point.x) && fits(point.y); });
}

std::vector<Detection> decode_image(const torch::Tensor& scores, const torch::Tensor& boxes,
                                    const torch::Tensor& landmarks, const torch::Tensor& anchors,
                                    const DecodingOptions& options) {
  torch::Tensor chosen = (scores > options.score_threshold).nonzero().squeeze(1);
  if (chosen.size(0) > options.candidates) {
    chosen = chosen.index_select(0, std::get<1>(scores.index_select(0, chosen).topk(options.candidates)));
  }
  const torch::Tensor anchor = anchors.index_select(0, chosen);
  const torch::Tensor rows =
      torch::cat({scores.index_select(0, chosen).unsqueeze(1), decode_boxes(boxes.index_select(0, chosen), anchor),
                  decode_landmarks(landmarks.index_select(0, chosen), anchor)},
                 1)
          .to(torch::kCPU)
          .contiguous();
  const auto row = rows.accessor<float, 2>();
  std::vector<Detection> detections;
  detections.reserve(static_cast<std::size_t>(rows.size(0)));
  for (std::int64_t i = 0; i < rows.size(0); ++i) {
    Detection detection;
    detection.score = row[i][0];
    detection.box = {row[i][1], row[i][2], row[i][3] - row[i][1], row[i][4] - row[i][2]};
    for (std::size_t point = 0; point < 5; ++point) {
      const auto column = static_cast<std::int64_t>(5 + 2 * point);
      detection.landmarks[point] = {row[i][column], row[i][column + 1]};
    }
    if (is_within_reason(detection)) detections.push_back(detection);
  }
  return suppress(std::move(detections), options.nms_iou, options.maximum);
}

}  // namespace

std::vector<std::vector<Detection>> decode(const RawOutput& output, const torch::Tensor& anchors,
                                           const DecodingOptions& options) {
  torch::NoGradGuard no_gradient;
  // The softmax of two numbers.
  const torch::Tensor scores = torch::sigmoid(output.logits.select(2, 1) - output.logits.select(2, 0));
  std::vector<std::vector<Detection>> images;
  for (std::int64_t i = 0; i < scores.size(0); ++i) {
    images.push_back(decode_image(scores[i], output.boxes[i], output.landmarks[i], anchors, options));
  }
  return images;
}

}  // namespace hyperfd
