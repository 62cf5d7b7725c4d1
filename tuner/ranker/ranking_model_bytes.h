#pragma once

#include <string>

#include "tuner/ranker/ranker.h"
#include "tuner/ranker/ranker_options.h"

namespace hyperfd {

// Everything that a RankingModel is.
struct RankingModelState {
  RankerOptions options;
  Ranker ranker;
  bool trained;

  std::size_t encoding_size() const { return static_cast<std::size_t>(ranker.inputs()); }
};

// A written format of our own rather than LibTorch's pickles, which can run code when read:
//   "HyperFD ranker 1\n"
//   SHA-256 of all that follows the next newline, 64 hexadecimal digits, "\n"
//   one line of JSON: {"inputs", "units", "trained", "tasks": [names]}, "\n"
//   weights, float32, little-endian, row by row: MlpEncoder::parameters() in their order, mean_feature, deviations
// Options are not part of it: a stored ranker goes on learning with those of the program that loads it.
std::string ranking_model_to_bytes(const RankingModelState& state);
// Throws StoreError on anything malformed, on weights that are not finite included. hidden_units of `options` is
// ignored.
RankingModelState ranking_model_from_bytes(const std::string& bytes, RankerOptions options);

}  // namespace hyperfd
