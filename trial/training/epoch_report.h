#pragma once

#include <optional>

#include "tuner/base/json.h"

namespace hyperfd {

// An epoch that is over. Losses are means over its batches.
struct EpochReport {
  int epoch = 0;  // counted from 1
  double loss = 0, classification = 0, location = 0, landmarks = 0;
  double learning_rate = 0;                    // of its last step
  double seconds = 0, validation_seconds = 0;  // training, then validation
  double images_per_second = 0;
  std::optional<double> average_precision;  // AP@50 on the validation split, when it was validated
  bool best = false;                        // the highest AP so far
};

// A line of train.jsonl, and back.
Json to_json(const EpochReport& epoch);
// Throws Json::exception.
EpochReport epoch_from_json(const Json& line);

}  // namespace hyperfd
