#include "trial/evaluation/coco_average_precision.h"

#include <algorithm>

namespace hyperfd {
namespace {

constexpr std::size_t kMaxDetections = 100;  // an image
constexpr int kRecalls = 101;

// One image, sorted once and matched at many thresholds.
struct PreparedImage {
  std::vector<double> scores;  // best first, at most kMaxDetections
  std::vector<bool> has_area;  // of detections: one from 0 to 1e10; others count for nothing unless they match
  std::vector<double> ious;    // detections × truths
  std::size_t truths = 0;
  std::size_t counted = 0;  // truths[0, counted) count, the rest are crowds
};

double overlap(const ScoredBox& detection, const TruthBox& truth) {
  const double shared = intersection(detection, truth);
  if (shared == 0) return 0;
  const double area = detection.width * detection.height;
  return shared / (truth.ignored ? area : area + truth.width * truth.height - shared);
}

PreparedImage prepare(const ImageBoxes& image) {
  std::vector<TruthBox> truths = image.truths;
  const auto crowds =
      std::stable_partition(truths.begin(), truths.end(), [](const TruthBox& truth) { return !truth.ignored; });
  std::vector<std::uint32_t> order = order_by_score(image.detections);
  order.resize(std::min(order.size(), kMaxDetections));
  PreparedImage prepared;
  prepared.truths = truths.size();
  prepared.counted = static_cast<std::size_t>(crowds - truths.begin());
  prepared.ious.reserve(order.size() * truths.size());
  for (const std::uint32_t d : order) {
    prepared.scores.push_back(image.detections[d].score);
    const double area = image.detections[d].width * image.detections[d].height;
    prepared.has_area.push_back(area >= 0 && area <= 1e10);
    for (const TruthBox& truth : truths) prepared.ious.push_back(overlap(image.detections[d], truth));
  }
  return prepared;
}

std::vector<PreparedImage> prepare(const std::vector<ImageBoxes>& images) {
  std::vector<PreparedImage> prepared;
  prepared.reserve(images.size());
  for (const ImageBoxes& image : images) prepared.push_back(prepare(image));
  return prepared;
}

void match(const PreparedImage& image, double iou_threshold, std::vector<Verdict>& verdicts) {
  std::vector<bool> taken(image.counted);
  for (std::size_t d = 0; d < image.scores.size(); ++d) {
    const double* ious = image.ious.data() + d * image.truths;
    double best_iou = std::min(iou_threshold, 1 - 1e-10);
    std::size_t best = image.truths;
    for (std::size_t t = 0; t < image.truths; ++t) {
      if (t < image.counted ? taken[t] : best < image.counted) continue;
      if (ious[t] < best_iou) continue;
      best_iou = ious[t];
      best = t;
    }
    if (best < image.counted) taken[best] = true;
    verdicts.push_back(best < image.counted                        ? Verdict::kTruePositive
                       : best < image.truths || !image.has_area[d] ? Verdict::kIgnored
                                                                   : Verdict::kFalsePositive);
  }
}

ScoredVerdicts verdicts_of(const std::vector<PreparedImage>& images, double iou_threshold) {
  ScoredVerdicts all;
  for (const PreparedImage& image : images) {
    all.scores.insert(all.scores.end(), image.scores.begin(), image.scores.end());
    all.positives += image.counted;
    match(image, iou_threshold, all.verdicts);
  }
  return all;
}

}  // namespace

ScoredVerdicts coco_verdicts(const std::vector<ImageBoxes>& images, double iou_threshold) {
  return verdicts_of(prepare(images), iou_threshold);
}

CocoAveragePrecision coco_average_precision(const std::vector<ImageBoxes>& images) {
  const std::vector<PreparedImage> prepared = prepare(images);
  CocoAveragePrecision result;
  std::vector<std::uint32_t> order;  // of scores, which is the same at every threshold
  double sum = 0;
  for (int i = 0; i < 10; ++i) {
    // numpy.linspace(0.5, 0.95, 10), to the last bit: overlaps equal to a threshold occur.
    const ScoredVerdicts verdicts = verdicts_of(prepared, i == 9 ? 0.95 : 0.5 + i * ((0.95 - 0.5) / 9));
    if (verdicts.positives == 0) return result;
    if (i == 0) order = order_by_score(verdicts.scores);
    const PrecisionRecall curve = precision_recall(verdicts, order);
    const double ap = mean_envelope_precision(curve, kRecalls);
    if (i == 0) result.ap50 = ap;
    if (i == 5) result.ap75 = ap;
    sum += ap;
  }
  result.ap = sum / 10;
  return result;
}

}  // namespace hyperfd
