#include "trial/evaluation/matching.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <string>
#include <utility>

#include <boost/sort/spreadsort/float_sort.hpp>

#include "tuner/base/error.h"

namespace hyperfd {

namespace {

// What a radix sort reads of a score.
struct ScoreBits {
  std::int64_t operator()(const std::pair<double, std::uint32_t>& ranked, unsigned offset) const {
    return boost::sort::spreadsort::float_mem_cast<double, std::int64_t>(ranked.first) >> offset;
  }
};

}  // namespace

std::vector<std::uint32_t> order_by_score(const std::vector<double>& scores) {
  for (std::size_t i = 0; i < scores.size(); ++i) {
    if (std::isnan(scores[i])) {
      throw InputError("detection " + std::to_string(i) + ": score: expected a number, got NaN");
    }
  }
  std::vector<std::uint32_t> order(scores.size());
  if (std::is_sorted(scores.begin(), scores.end(), std::greater<>())) {
    std::iota(order.begin(), order.end(), 0u);
    return order;
  }
  // Scores beside their positions: an indirect sort would wait for memory at every comparison.
  std::vector<std::pair<double, std::uint32_t>> ranked(scores.size());
  // 0 − score, not −score: there is one zero then.
  for (std::size_t i = 0; i < scores.size(); ++i) ranked[i] = {0 - scores[i], static_cast<std::uint32_t>(i)};
  boost::sort::spreadsort::float_sort(ranked.begin(), ranked.end(), ScoreBits(), std::less<>());
  // A radix sort leaves equal scores in any order.
  const auto tie = [](const auto& a, const auto& b) { return a.first == b.first; };
  for (auto begin = ranked.begin(); (begin = std::adjacent_find(begin, ranked.end(), tie)) != ranked.end();) {
    const auto end = std::find_if(begin, ranked.end(), [&](const auto& entry) { return !tie(entry, *begin); });
    std::sort(begin, end);
    begin = end;
  }
  std::transform(ranked.begin(), ranked.end(), order.begin(), [](const auto& entry) { return entry.second; });
  return order;
}

std::vector<std::uint32_t> order_by_score(const std::vector<ScoredBox>& detections) {
  std::vector<double> scores;
  scores.reserve(detections.size());
  for (const ScoredBox& detection : detections) scores.push_back(detection.score);
  return order_by_score(scores);
}

double intersection(const ScoredBox& detection, const TruthBox& truth) {
  const double width = std::min(detection.x + detection.width, truth.x + truth.width) - std::max(detection.x, truth.x);
  const double height =
      std::min(detection.y + detection.height, truth.y + truth.height) - std::max(detection.y, truth.y);
  return width > 0 && height > 0 ? width * height : 0;
}

namespace {

// Without a minimum nothing is too small: WIDER FACE has boxes of negative size, and its evaluation counts them.
template <typename AnyBox>
bool is_small(const AnyBox& box, double minimum_size) {
  return minimum_size > 0 && (box.width < minimum_size || box.height < minimum_size);
}

}  // namespace

bool is_ignored(const TruthBox& truth, double minimum_size) {
  return truth.ignored || is_small(truth, minimum_size);
}

std::vector<Verdict> match_to_best_truth(const ImageBoxes& image, double iou_threshold, double minimum_size) {
  std::vector<bool> taken(image.truths.size());
  std::vector<Verdict> verdicts(image.detections.size(), Verdict::kFalsePositive);
  for (const std::uint32_t d : order_by_score(image.detections)) {
    const ScoredBox& detection = image.detections[d];
    std::size_t best = 0;
    double best_iou = 0;
    for (std::size_t t = 0; t < image.truths.size(); ++t) {
      const TruthBox& truth = image.truths[t];
      const double shared = intersection(detection, truth);
      if (shared == 0) continue;
      const double iou = shared / (detection.width * detection.height + truth.width * truth.height - shared);
      const bool counts_first =
          iou == best_iou && is_ignored(image.truths[best], minimum_size) && !is_ignored(truth, minimum_size);
      if (iou < best_iou || (iou == best_iou && !counts_first)) continue;
      best_iou = iou;
      best = t;
    }
    if (best_iou > 0 && best_iou >= iou_threshold) {
      if (is_ignored(image.truths[best], minimum_size)) {
        verdicts[d] = Verdict::kIgnored;
      } else if (!taken[best]) {
        taken[best] = true;
        verdicts[d] = Verdict::kTruePositive;
      }
    } else if (is_small(detection, minimum_size)) {
      verdicts[d] = Verdict::kIgnored;
    }
  }
  return verdicts;
}

}  // namespace hyperfd
