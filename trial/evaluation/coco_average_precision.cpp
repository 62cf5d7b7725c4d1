#include "trial/evaluation/coco_average_precision.h"

#include <algorithm>

namespace hyperfd {
namespace {

constexpr std::size_t kMaxDetections = 100;  // an image
constexpr int kRecalls = 101;

struct Overlap {
  std::size_t truth;
  double iou;
};

// One image, sorted once and matched at many thresholds.
struct PreparedImage {
  std::vector<double> scores;     // best first, at most kMaxDetections
  std::vector<bool> has_area;     // of detections: one from 0 to 1e10; others count for nothing unless they match
  std::vector<Overlap> overlaps;  // at the lowest threshold or above it: of the first detection, then of the next, …
  std::vector<std::size_t> ends;  // in `overlaps`, by detection
  std::size_t truths = 0;
  std::size_t counted = 0;  // truths[0, counted) count, the rest are crowds
};

// A detection matches at this overlap, where an IoU of 1 is asked for and rounding is in its way.
double least_overlap(double iou_threshold) {
  return std::min(iou_threshold, 1 - 1e-10);
}

double overlap(const ScoredBox& detection, const TruthBox& truth) {
  const double shared = intersection(detection, truth);
  if (shared == 0) return 0;
  const double area = detection.width * detection.height;
  return shared / (truth.ignored ? area : area + truth.width * truth.height - shared);
}

PreparedImage prepare(const ImageBoxes& image, double lowest_threshold) {
  std::vector<TruthBox> truths = image.truths;
  const auto crowds =
      std::stable_partition(truths.begin(), truths.end(), [](const TruthBox& truth) { return !truth.ignored; });
  std::vector<std::uint32_t> order = order_by_score(image.detections);
  order.resize(std::min(order.size(), kMaxDetections));
  PreparedImage prepared;
  prepared.truths = truths.size();
  prepared.counted = static_cast<std::size_t>(crowds - truths.begin());
  for (const std::uint32_t d : order) {
    prepared.scores.push_back(image.detections[d].score);
    const double area = image.detections[d].width * image.detections[d].height;
    prepared.has_area.push_back(area >= 0 && area <= 1e10);
    for (std::size_t t = 0; t < truths.size(); ++t) {
      const double iou = overlap(image.detections[d], truths[t]);
      if (iou >= least_overlap(lowest_threshold)) prepared.overlaps.push_back({t, iou});
    }
    prepared.ends.push_back(prepared.overlaps.size());
  }
  return prepared;
}

std::vector<PreparedImage> prepare(const std::vector<ImageBoxes>& images, double lowest_threshold) {
  std::vector<PreparedImage> prepared;
  prepared.reserve(images.size());
  for (const ImageBoxes& image : images) prepared.push_back(prepare(image, lowest_threshold));
  return prepared;
}

// `iou_threshold`: not below the one that `image` was prepared for.
// `taken` is its memory, which images share.
void match(const PreparedImage& image, double iou_threshold, std::vector<bool>& taken, std::vector<Verdict>& verdicts) {
  taken.assign(image.counted, false);
  std::size_t next = 0;  // in image.overlaps
  for (std::size_t d = 0; d < image.scores.size(); ++d) {
    double best_iou = least_overlap(iou_threshold);
    std::size_t best = image.truths;
    for (; next < image.ends[d]; ++next) {
      const auto [truth, iou] = image.overlaps[next];
      if (truth < image.counted ? taken[truth] : best < image.counted) continue;
      if (iou < best_iou) continue;
      best_iou = iou;
      best = truth;
    }
    if (best < image.counted) taken[best] = true;
    verdicts.push_back(best < image.counted                        ? Verdict::kTruePositive
                       : best < image.truths || !image.has_area[d] ? Verdict::kIgnored
                                                                   : Verdict::kFalsePositive);
  }
}

// All but the verdicts, which depend on the threshold.
ScoredVerdicts without_verdicts(const std::vector<PreparedImage>& images) {
  ScoredVerdicts all;
  for (const PreparedImage& image : images) {
    all.scores.insert(all.scores.end(), image.scores.begin(), image.scores.end());
    all.positives += image.counted;
  }
  return all;
}

void set_verdicts(const std::vector<PreparedImage>& images, double iou_threshold, ScoredVerdicts& all) {
  all.verdicts.clear();
  all.verdicts.reserve(all.scores.size());
  std::vector<bool> taken;
  for (const PreparedImage& image : images) match(image, iou_threshold, taken, all.verdicts);
}

}  // namespace

ScoredVerdicts coco_verdicts(const std::vector<ImageBoxes>& images, double iou_threshold) {
  const std::vector<PreparedImage> prepared = prepare(images, iou_threshold);
  ScoredVerdicts all = without_verdicts(prepared);
  set_verdicts(prepared, iou_threshold, all);
  return all;
}

CocoAveragePrecision coco_average_precision(const std::vector<ImageBoxes>& images) {
  constexpr double kLowest = 0.5;
  const std::vector<PreparedImage> prepared = prepare(images, kLowest);
  ScoredVerdicts all = without_verdicts(prepared);
  CocoAveragePrecision result;
  if (all.positives == 0) return result;
  const std::vector<std::uint32_t> order = order_by_score(all.scores);
  double sum = 0;
  for (int i = 0; i < 10; ++i) {
    // numpy.linspace(0.5, 0.95, 10), to the last bit: overlaps equal to a threshold occur.
    set_verdicts(prepared, i == 9 ? 0.95 : kLowest + i * ((0.95 - kLowest) / 9), all);
    const PrecisionRecall curve = precision_recall(all, order);
    const double ap = mean_envelope_precision(curve, kRecalls);
    if (i == 0) result.ap50 = ap;
    if (i == 5) result.ap75 = ap;
    sum += ap;
  }
  result.ap = sum / 10;
  return result;
}

}  // namespace hyperfd
