#include <algorithm>
#include <cmath>

#include "trial/describe/image_describer.h"
#include "trial/describe/weights_digest.h"
#include "trial/detector/anchors.h"
#include "trial/detector/decoding.h"
#include "trial/detector/multibox_loss.h"
#include "trial/evaluation/average_precision.h"
#include "trial/training/detect.h"
#include "trial/training/trained_detector.h"
#include "trial/training/weights_file.h"
#include "tuner/ranker/dataset_features.h"

namespace hyperfd {
namespace {

// Rises whenever the same weights and options give other numbers than before.
constexpr int kVersion = 1;
constexpr float kIou = 0.5f;

DetectorOutcome outcome_of(const RawOutput& output, const torch::Tensor& anchors, const FaceTensors& faces,
                           const Matches& matches, const std::vector<Face>& annotated, const Recipe& recipe) {
  DetectorOutcome outcome;
  const Losses losses = multibox_loss(output, anchors, faces, matches, recipe.loss());
  const torch::Tensor positive = matches.labels == 1;
  outcome.matched_anchors = static_cast<std::uint32_t>(positive.sum().item<std::int64_t>());
  outcome.landmark_anchors =
      static_cast<std::uint32_t>((positive & faces.has_landmarks.gather(1, matches.face)).sum().item<std::int64_t>());
  // multibox_loss() divides by these, or by 1.
  const auto matched = static_cast<float>(std::max(outcome.matched_anchors, 1u));
  outcome.class_loss = losses.classification.item<float>() * matched;
  outcome.box_loss = losses.location.item<float>() * matched;
  outcome.landmark_loss = losses.landmarks.item<float>() * static_cast<float>(std::max(outcome.landmark_anchors, 1u));

  const std::vector<std::vector<Detection>> detections = decode(output, anchors, recipe.decoding());
  const ImageBoxes boxes = image_boxes(detections, {annotated}).front();
  const std::vector<Verdict> verdicts = match_to_best_truth(boxes, kIou, recipe.minimum_face);
  for (std::size_t i = 0; i < verdicts.size(); ++i) {
    if (verdicts[i] == Verdict::kIgnored) continue;
    outcome.detections.emplace_back(detections[0][i].score, verdicts[i] == Verdict::kTruePositive);
  }
  outcome.faces =
      static_cast<std::uint32_t>(std::count_if(boxes.truths.begin(), boxes.truths.end(), [&](const TruthBox& truth) {
        return !is_ignored(truth, recipe.minimum_face);
      }));
  return outcome;
}

class DetectorDescriber : public ImageDescriber {
 public:
  DetectorDescriber(const std::string& weights_file, const PoolingOptions& options, bool outcome)
      : detector_(load_trained_detector(weights_file)),
        options_(options),
        outcome_(outcome),
        digest_(weights_digest(load_weights(weights_file))) {}

  Json identity() const override {
    const Recipe& recipe = detector_.recipe;
    Json identity = {{"kind", "detector"},
                     {"version", kVersion},
                     {"weights", digest_},
                     {"backbone", recipe.backbone},
                     {"channels", recipe.channels},
                     {"anchor_sizes", recipe.anchor_sizes},
                     {"evaluation_side", recipe.evaluation_side},
                     {"iou_threshold", recipe.iou_threshold},
                     {"labels", options_.labels},
                     {"groups", options_.groups},
                     {"pyramid", options_.pyramid}};
    if (outcome_) {
      identity["outcome"] = {{"minimum_face", recipe.minimum_face},
                             {"negative_ratio", recipe.negative_ratio},
                             {"minimum_negatives", recipe.minimum_negatives},
                             {"score_threshold", recipe.score_threshold},
                             {"nms_threshold", recipe.nms_threshold}};
    }
    return identity;
  }

  std::int64_t size() const override { return pooled_size(detector_.recipe.channels, options_); }

  ImageDescription describe(const std::string& folder, const AnnotatedImage& image) override {
    const torch::NoGradGuard no_gradient;
    Sample seen = read_for_evaluation(folder, image, detector_.recipe);
    if (!seen.image.isContinuous()) seen.image = seen.image.clone();
    const torch::Tensor pixels =
        torch::from_blob(seen.image.data, {1, seen.image.rows, seen.image.cols, 3}, torch::kByte);
    const torch::Tensor anchors = make_anchors(seen.image.rows, seen.image.cols, detector_.recipe.anchor_sizes);
    const FaceTensors faces = pack_faces({seen.faces});
    const Matches matches = match(anchors, faces, detector_.recipe.matching());
    RetinaFaceImpl& network = *detector_.network.ptr();
    const auto context = network.context_features(normalise_pixels(pixels, torch::kCPU));

    ImageDescription description;
    description.face_sizes = face_sizes(seen.faces, seen.image.cols, seen.image.rows);
    const torch::Tensor pooled = to_half_precision(pool_anchors(context, anchors, faces, matches, options_));
    description.features.assign(pooled.data_ptr<float>(), pooled.data_ptr<float>() + pooled.numel());
    if (outcome_) {
      description.outcome = outcome_of(network.heads(context), anchors, faces, matches, seen.faces, detector_.recipe);
    }
    return description;
  }

 private:
  TrainedDetector detector_;
  PoolingOptions options_;
  bool outcome_;
  std::string digest_;
};

}  // namespace

std::vector<float> face_sizes(const std::vector<Face>& faces, int width, int height) {
  std::vector<float> sizes;
  for (const Face& face : faces) {
    if (!face.ignored) sizes.push_back(std::sqrt(face.box.area()) / static_cast<float>(std::min(width, height)));
  }
  return sizes;
}

std::unique_ptr<ImageDescriber> detector_describer(const std::string& weights_file, const PoolingOptions& options,
                                                   bool outcome) {
  return std::make_unique<DetectorDescriber>(weights_file, options, outcome);
}

}  // namespace hyperfd
