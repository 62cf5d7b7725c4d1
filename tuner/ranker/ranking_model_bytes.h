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

  EncodingShape shape() const { return ranker.encoder.shape(); }
};

// A written format of our own rather than LibTorch's pickles, which can run code when read:
//   "HyperFD ranker 3\n"
//   SHA-256 of all that follows the next newline, 64 hexadecimal digits, "\n"
//   one line of JSON, "\n":
//     "inputs", "node_features": EncodingShape · "units" · "trained" · "tasks": [names] · "numbers": how many
//     "number_names": [names]; may be missing
//     "extractor": {"image_features", "statistics", "frozen": content hash, may be missing} or null · "version": of the
//     extractor · "references": [names] "versions": [[version, reference rows], …] · "seen": [[task, version], …] ·
//     "importance": whether there is Ω
//     "effects": {"parameters": [[column, columns, mask], …], "width", "numbers", "groups"} or null
//   weights, float32, little-endian, row by row: Ranker::tensors()
// Version 2 has no effects. Version 1 has the first four fields and "tasks" alone, and no numbers, extractor or graphs.
// Both are read as such.
// Options are not part of it: a stored ranker goes on learning with those of the program that loads it.
std::string ranking_model_to_bytes(const RankingModelState& state);
// Throws StoreError on anything malformed, on weights that are not finite included. hidden_units of `options` is
// ignored.
RankingModelState ranking_model_from_bytes(const std::string& bytes, RankerOptions options);

}  // namespace hyperfd
