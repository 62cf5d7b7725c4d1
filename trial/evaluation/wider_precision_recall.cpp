#include "trial/evaluation/wider_precision_recall.h"

#include <algorithm>
#include <array>

namespace hyperfd {
namespace {

constexpr std::size_t kThresholds = 1000;
constexpr double kIou = 0.5;

// What the detections at or above one threshold, but below the one before, add.
struct Step {
  std::size_t proposals = 0, found = 0;
};
using Steps = std::array<Step, kThresholds>;

double threshold(std::size_t step) {
  return 1 - static_cast<double>(step + 1) / kThresholds;
}

// The first step whose threshold `score` reaches.
std::size_t step_of(double score) {
  if (!(score >= 0)) return kThresholds - 1;              // no number, where the range of scores overflows
  const double estimate = (1 - score) * kThresholds - 2;  // below it, whatever is rounded
  std::size_t step = estimate > 0 ? std::min(static_cast<std::size_t>(estimate), kThresholds - 1) : 0;
  while (step < kThresholds - 1 && score < threshold(step)) ++step;
  return step;
}

// IoU of box_overlaps.pyx, to the last bit.
double overlap(const ScoredBox& detection, const TruthBox& truth) {
  const double right = detection.x + detection.width, bottom = detection.y + detection.height;
  const double truth_right = truth.x + truth.width, truth_bottom = truth.y + truth.height;
  const double width = std::min(right, truth_right) - std::max(detection.x, truth.x) + 1;
  const double height = std::min(bottom, truth_bottom) - std::max(detection.y, truth.y) + 1;
  if (width <= 0 || height <= 0) return 0;
  const double truth_area = (truth_right - truth.x + 1) * (truth_bottom - truth.y + 1);
  const double all = (right - detection.x + 1) * (bottom - detection.y + 1) + truth_area - width * height;
  return width * height / all;
}

void add_image(const ImageBoxes& image, double minimum_size, double lowest, double range, Steps& steps) {
  if (image.truths.empty()) return;
  std::vector<bool> found(image.truths.size());
  for (const std::uint32_t d : order_by_score(image.detections)) {
    const ScoredBox& detection = image.detections[d];
    std::size_t best = 0;
    double best_overlap = 0;
    for (std::size_t t = 0; t < image.truths.size(); ++t) {
      const double shared = overlap(detection, image.truths[t]);
      if (shared <= best_overlap) continue;
      best_overlap = shared;
      best = t;
    }
    const bool matches = best_overlap >= kIou;
    if (matches && is_ignored(image.truths[best], minimum_size)) continue;
    Step& step = steps[step_of(range > 0 ? (detection.score - lowest) / range : 1)];
    ++step.proposals;
    if (!matches || found[best]) continue;
    ++step.found;
    found[best] = true;
  }
}

}  // namespace

PrecisionRecall wider_precision_recall(const std::vector<ImageBoxes>& images, double minimum_size) {
  double lowest = 1, highest = 0;  // the official evaluation, too, starts from these
  std::size_t positives = 0;
  for (const ImageBoxes& image : images) {
    for (const ScoredBox& detection : image.detections) {
      lowest = std::min(lowest, detection.score);
      highest = std::max(highest, detection.score);
    }
    for (const TruthBox& truth : image.truths) positives += !is_ignored(truth, minimum_size);
  }
  PrecisionRecall curve;
  if (positives == 0) return curve;
  Steps steps{};
  for (const ImageBoxes& image : images) add_image(image, minimum_size, lowest, highest - lowest, steps);
  std::size_t proposals = 0, found = 0;
  for (const Step& step : steps) {
    proposals += step.proposals;
    found += step.found;
    curve.precision.push_back(proposals == 0 ? 0 : static_cast<double>(found) / static_cast<double>(proposals));
    curve.recall.push_back(static_cast<double>(found) / static_cast<double>(positives));
  }
  return curve;
}

}  // namespace hyperfd
