#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace hyperfd {

// Evaluation works in double precision: detections written to JSON by other programs must not change their order or tie
// because of rounding. Pixels; right and bottom edges are x + width, y + height.
struct TruthBox {
  double x = 0, y = 0, width = 0, height = 0;
  bool ignored = false;  // neither a positive nor a miss
};
struct ScoredBox {
  double x = 0, y = 0, width = 0, height = 0;
  double score = 0;
};
struct ImageBoxes {
  std::vector<ScoredBox> detections;
  std::vector<TruthBox> truths;
};

// What a detection counts as.
enum class Verdict : std::uint8_t { kTruePositive, kFalsePositive, kIgnored };

// Positions of `scores`, best first; equal scores keep their order. Throws InputError when one is not a number.
std::vector<std::uint32_t> order_by_score(const std::vector<double>& scores);
std::vector<std::uint32_t> order_by_score(const std::vector<ScoredBox>& detections);

// Square pixels that both boxes cover.
double intersection(const ScoredBox& detection, const TruthBox& truth);

// MMDetection's `tpfp_default`: a detection belongs to the truth it overlaps most, be that taken or not. At
// `iou_threshold` or more it is a true positive if that truth is free, a false positive if a better-scored detection
// has it, and ignored if the truth is ignored; of truths that it overlaps as much, one that counts comes first. Below,
// it is a false positive.
//
// Truths with a side under `minimum_size` pixels are ignored, as by the `min_size` of MMDetection's data sets. So is,
// other than there, a detection with such a side that matches nothing: who looks for faces that do not count is not
// wrong. (MMDetection's `scale_ranges` ignores both, too, but by their areas.) One verdict a detection, in the order
// given.
std::vector<Verdict> match_to_best_truth(const ImageBoxes& image, double iou_threshold, double minimum_size);

// Whether match_to_best_truth() ignores `truth`.
bool is_ignored(const TruthBox& truth, double minimum_size);

}  // namespace hyperfd
