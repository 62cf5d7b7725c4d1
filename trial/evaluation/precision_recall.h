#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "trial/evaluation/matching.h"

namespace hyperfd {

// Verdicts on the detections of all images, gathered image by image.
struct ScoredVerdicts {
  std::vector<double> scores;
  std::vector<Verdict> verdicts;  // beside scores
  std::size_t positives = 0;      // truths that should be found
};

// Points of the curve, best score first: recall never falls.
struct PrecisionRecall {
  std::vector<double> precision, recall;
};

// One point a true positive; between two of them precision falls and recall stays, which neither function below asks
// for. Equal scores count in the order given. Empty when there are no positives or none is found. Throws InputError
// when a score is not a number.
PrecisionRecall precision_recall(const ScoredVerdicts& detections);
// The same where order_by_score(detections.scores) is known: sorting costs most.
PrecisionRecall precision_recall(const ScoredVerdicts& detections, const std::vector<std::uint32_t>& order);

// Area under the curve after every precision is raised to the best one at the same or a higher recall
// (PASCAL VOC since 2010; MMDetection's `area` mode). In [0, 1].
double area_under_envelope(const PrecisionRecall& curve);

// Mean of that envelope at `points` recalls evenly spaced from 0 to 1: COCO's AP with 101, PASCAL VOC 2007's with 11.
// In [0, 1].
double mean_envelope_precision(const PrecisionRecall& curve, int points);

}  // namespace hyperfd
