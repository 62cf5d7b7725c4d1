#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "trial/evaluation/detection.h"

namespace hyperfd {

struct CleaningOptions {
  float replace_iou = 0.4f;     // in [0, 1); a label and a detection that overlap more are the same face
  float add_score = 0.95f;      // an unmatched detection above it is a face that the labels lack
  float minimum_score = 0.5f;   // weaker detections are no evidence: they match nothing and are not reviewed
  bool landmarks_only = false;  // boxes stay as they are and none is added
};

// What a person should look at.
enum class Doubt {
  kUnsupportedLabel,    // no detection matches it; it stays
  kUncertainDetection,  // matches no label, and is too weak to be added
};
// "unsupported_label", "uncertain_detection".
const char* name_of(Doubt doubt);

struct ReviewItem {
  Doubt doubt;
  Box box;
  std::optional<float> score;  // of a detection
};

struct CleaningCounts {
  std::size_t labels = 0;           // that are not ignored
  std::size_t replaced = 0;         // boxes
  std::size_t added = 0;            // faces
  std::size_t landmarks_added = 0;  // to labels that had none; faces added do not count
  std::size_t unsupported_labels = 0, uncertain_detections = 0;
  std::size_t ignored_detections = 0;  // in a region to ignore, or a second detection of a face

  CleaningCounts& operator+=(const CleaningCounts& other);
};

struct CleaningResult {
  std::vector<Face> faces;         // the labels in their order, then the faces added, strongest first
  std::vector<ReviewItem> review;  // labels in their order, then detections, strongest first
  CleaningCounts counts;
};

// The label cleaning of B.2 for one image: `detections` of a stronger detector (any order) correct `labels`, both in
// pixels of the image. Labels and detections are paired by the optimal bipartite matching on IoU, of pairs above
// replace_iou only, so that no weak overlap costs a good one. A matched label takes the detection's box, and its
// landmarks if it has none itself; own landmarks are always kept. Labels to ignore stay untouched, and no face is added
// where half of a detection or more lies in one. Nothing is ever removed.
CleaningResult clean_labels(const std::vector<Face>& labels, const std::vector<Detection>& detections,
                            const CleaningOptions& options);

}  // namespace hyperfd
