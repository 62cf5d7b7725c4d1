#include "trial/detector/multibox_loss.h"

#include "trial/detector/box_coding.h"

namespace hyperfd {
namespace {

torch::Tensor smooth_l1_sum(const torch::Tensor& predicted, const torch::Tensor& target) {
  return torch::smooth_l1_loss(predicted, target, torch::Reduction::Sum);
}

// Summed cross entropy of the negatives that the network gets most wrong, `negative_ratio` for every positive of the
// same image.
torch::Tensor hard_negative_loss(const torch::Tensor& face_margin, const torch::Tensor& labels,
                                 const LossOptions& options) {
  const torch::Tensor positives = (labels == 1).sum(1);
  const torch::Tensor wanted = (positives.to(torch::kFloat) * options.negative_ratio)
                                   .floor()
                                   .clamp_min(options.minimum_negatives)
                                   .to(torch::kLong);
  const std::int64_t most = std::min(labels.size(1), wanted.max().item<std::int64_t>());
  // Zero is below every cross entropy, so that anchors that are no negatives come last and count nothing.
  const torch::Tensor losses = torch::softplus(face_margin).masked_fill(labels != 0, 0);
  const torch::Tensor hardest = std::get<0>(losses.topk(most, 1));
  const torch::Tensor counts = torch::arange(most, labels.options()).unsqueeze(0) < wanted.unsqueeze(1);
  return hardest.masked_fill(~counts, 0).sum();
}

}  // namespace

Losses multibox_loss(const RawOutput& output, const torch::Tensor& anchors, const FaceTensors& faces,
                     const Matches& matches, const LossOptions& options) {
  const torch::Tensor positive = (matches.labels.flatten() == 1).nonzero().squeeze(1);
  const std::int64_t anchor_count = anchors.size(0), face_count = faces.boxes.size(1);
  const torch::Tensor image = torch::floor_divide(positive, anchor_count);
  const torch::Tensor face = image * face_count + matches.face.flatten().index_select(0, positive);
  const torch::Tensor anchor = anchors.index_select(0, positive - image * anchor_count);
  const double positives = std::max<double>(1, static_cast<double>(positive.size(0)));

  // Two classes: the cross entropy is the soft plus of how far the wrong one is ahead.
  const torch::Tensor face_margin = output.logits.select(2, 1) - output.logits.select(2, 0);
  const torch::Tensor positive_loss = torch::softplus(-face_margin.flatten().index_select(0, positive)).sum();
  Losses losses;
  losses.classification = (positive_loss + hard_negative_loss(face_margin, matches.labels, options)) / positives;

  const torch::Tensor boxes = faces.boxes.flatten(0, 1).index_select(0, face);
  losses.location =
      smooth_l1_sum(output.boxes.flatten(0, 1).index_select(0, positive), encode_boxes(boxes, anchor)) / positives;

  const torch::Tensor annotated = faces.has_landmarks.flatten().index_select(0, face).nonzero().squeeze(1);
  const torch::Tensor landmarks = faces.landmarks.flatten(0, 1).index_select(0, face.index_select(0, annotated));
  losses.landmarks = smooth_l1_sum(output.landmarks.flatten(0, 1).index_select(0, positive.index_select(0, annotated)),
                                   encode_landmarks(landmarks, anchor.index_select(0, annotated))) /
                     std::max<double>(1, static_cast<double>(annotated.size(0)));

  losses.total =
      losses.classification + options.location_weight * losses.location + options.landmark_weight * losses.landmarks;
  return losses;
}

}  // namespace hyperfd
