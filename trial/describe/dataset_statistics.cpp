#include "trial/describe/dataset_statistics.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "trial/evaluation/precision_recall.h"
#include "tuner/ranker/dataset_features.h"

namespace hyperfd {
namespace {

// Upper ends of all bins but the last.
constexpr std::array<double, 5> kFaceSizes = {1.0 / 32, 1.0 / 16, 1.0 / 8, 1.0 / 4, 1.0 / 2};
constexpr std::array<double, 4> kFaceCounts = {1, 2, 5, 10};

std::string number(double value) {
  std::string text = std::to_string(value);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  return text;
}

// The share of values below the first edge, from one edge to the next, …, at or above the last. Zeros without values.
template <std::size_t edges>
void add_histogram(const std::string& name, const std::vector<float>& values, const std::array<double, edges>& upper,
                   std::vector<Statistic>& statistics) {
  std::array<double, edges + 1> counts{};
  for (const float value : values) {
    const auto bin = std::upper_bound(upper.begin(), upper.end(), static_cast<double>(value)) - upper.begin();
    ++counts[static_cast<std::size_t>(bin)];
  }
  for (std::size_t i = 0; i < counts.size(); ++i) {
    const std::string range = i < edges ? "<" + number(upper[i]) : ">=" + number(upper[edges - 1]);
    statistics.push_back({name + range, counts[i] / std::max<double>(1, static_cast<double>(values.size()))});
  }
}

}  // namespace

std::vector<Statistic> size_statistics(const std::vector<ImageDescription>& images) {
  std::size_t boxes = 0;
  for (const ImageDescription& image : images) boxes += image.face_sizes.size();
  return {{kLogImages, std::log1p(static_cast<double>(images.size()))},
          {kLogBoxes, std::log1p(static_cast<double>(boxes))}};
}

std::vector<Statistic> landmark_statistics(const std::vector<ImageDescription>& images) {
  double class_loss = 0, box_loss = 0, landmark_loss = 0, matched = 0, with_landmarks = 0;
  ScoredVerdicts verdicts;
  std::vector<float> sizes, counts;
  for (const ImageDescription& image : images) {
    const DetectorOutcome& outcome = image.outcome;
    class_loss += outcome.class_loss;
    box_loss += outcome.box_loss;
    landmark_loss += outcome.landmark_loss;
    matched += outcome.matched_anchors;
    with_landmarks += outcome.landmark_anchors;
    verdicts.positives += outcome.faces;
    for (const auto& [score, is_face] : outcome.detections) {
      verdicts.scores.push_back(score);
      verdicts.verdicts.push_back(is_face ? Verdict::kTruePositive : Verdict::kFalsePositive);
    }
    sizes.insert(sizes.end(), image.face_sizes.begin(), image.face_sizes.end());
    counts.push_back(static_cast<float>(image.face_sizes.size()));
  }
  std::vector<Statistic> statistics = {{"untuned AP@50", area_under_envelope(precision_recall(verdicts))},
                                       {"untuned class loss", class_loss / std::max(matched, 1.0)},
                                       {"untuned box loss", box_loss / std::max(matched, 1.0)},
                                       {"untuned landmark loss", landmark_loss / std::max(with_landmarks, 1.0)}};
  add_histogram("faces in an image ", counts, kFaceCounts, statistics);
  add_histogram("face size ", sizes, kFaceSizes, statistics);
  return statistics;
}

}  // namespace hyperfd
