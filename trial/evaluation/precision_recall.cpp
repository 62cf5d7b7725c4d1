#include "trial/evaluation/precision_recall.h"

#include <algorithm>

namespace hyperfd {
namespace {

std::vector<double> envelope(std::vector<double> precision) {
  for (std::size_t i = precision.size(); i-- > 1;) precision[i - 1] = std::max(precision[i - 1], precision[i]);
  return precision;
}

}  // namespace

PrecisionRecall precision_recall(const ScoredVerdicts& detections) {
  return precision_recall(detections, order_by_score(detections.scores));
}

PrecisionRecall precision_recall(const ScoredVerdicts& detections, const std::vector<std::uint32_t>& order) {
  PrecisionRecall curve;
  if (detections.positives == 0) return curve;
  std::size_t found = 0, counted = 0;
  for (const std::uint32_t d : order) {
    if (detections.verdicts[d] == Verdict::kIgnored) continue;
    ++counted;
    if (detections.verdicts[d] != Verdict::kTruePositive) continue;
    ++found;
    curve.precision.push_back(static_cast<double>(found) / static_cast<double>(counted));
    curve.recall.push_back(static_cast<double>(found) / static_cast<double>(detections.positives));
  }
  return curve;
}

double area_under_envelope(const PrecisionRecall& curve) {
  const std::vector<double> precision = envelope(curve.precision);
  double area = 0, previous_recall = 0;
  for (std::size_t i = 0; i < precision.size(); ++i) {
    area += (curve.recall[i] - previous_recall) * precision[i];
    previous_recall = curve.recall[i];
  }
  return area;
}

double mean_envelope_precision(const PrecisionRecall& curve, int points) {
  const std::vector<double> precision = envelope(curve.precision);
  double sum = 0;
  auto at = curve.recall.begin();
  for (int i = 0; i < points; ++i) {
    // i · step like numpy.linspace, which pycocotools uses: i / (points − 1) differs in the last bit for some i, and
    // recalls hit it.
    const double wanted = i == points - 1 ? 1.0 : i * (1.0 / (points - 1));
    at = std::lower_bound(at, curve.recall.end(), wanted);
    if (at == curve.recall.end()) break;
    sum += precision[static_cast<std::size_t>(at - curve.recall.begin())];
  }
  return sum / points;
}

}  // namespace hyperfd
