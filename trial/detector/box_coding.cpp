#include "trial/detector/box_coding.h"

namespace hyperfd {
namespace {

constexpr double kPositionVariance = 0.1;
constexpr double kSizeVariance = 0.2;
// Faces narrower than this are encoded as this wide, so that no logarithm is infinite.
constexpr double kSmallestSide = 1e-3;

torch::Tensor first_two(const torch::Tensor& t) {
  return t.slice(-1, 0, 2);
}
torch::Tensor last_two(const torch::Tensor& t) {
  return t.slice(-1, 2, 4);
}

}  // namespace

torch::Tensor corners_of(const torch::Tensor& anchors) {
  const torch::Tensor half = last_two(anchors) / 2;
  return torch::cat({first_two(anchors) - half, first_two(anchors) + half}, -1);
}

torch::Tensor encode_boxes(const torch::Tensor& boxes, const torch::Tensor& anchors) {
  const torch::Tensor centre = (first_two(boxes) + last_two(boxes)) / 2;
  const torch::Tensor size = (last_two(boxes) - first_two(boxes)).clamp_min(kSmallestSide);
  return torch::cat({(centre - first_two(anchors)) / (kPositionVariance * last_two(anchors)),
                     torch::log(size / last_two(anchors)) / kSizeVariance},
                    -1);
}

torch::Tensor decode_boxes(const torch::Tensor& encoded, const torch::Tensor& anchors) {
  const torch::Tensor centre = first_two(anchors) + first_two(encoded) * kPositionVariance * last_two(anchors);
  const torch::Tensor half = last_two(anchors) * torch::exp(last_two(encoded) * kSizeVariance) / 2;
  return torch::cat({centre - half, centre + half}, -1);
}

torch::Tensor encode_landmarks(const torch::Tensor& landmarks, const torch::Tensor& anchors) {
  const torch::Tensor points = landmarks.unflatten(-1, {5, 2});
  return ((points - first_two(anchors).unsqueeze(-2)) / (kPositionVariance * last_two(anchors).unsqueeze(-2)))
      .flatten(-2);
}

torch::Tensor decode_landmarks(const torch::Tensor& encoded, const torch::Tensor& anchors) {
  const torch::Tensor offsets = encoded.unflatten(-1, {5, 2});
  return (first_two(anchors).unsqueeze(-2) + offsets * kPositionVariance * last_two(anchors).unsqueeze(-2)).flatten(-2);
}

}  // namespace hyperfd
