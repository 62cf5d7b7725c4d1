#pragma once

#include <string>

#include "tuner/bench/lookup_table.h"
#include "tuner/platform/experience_store.h"
#include "tuner/ranker/ranking_model.h"

namespace hyperfd {

// Makes an empty store a bundle: all tasks of the table as offline tasks, with their image features, and a ranker that
// has learned from them. Keeps the features of at most `images` images of each. `group`: what tasks are called,
// offline/GROUP/TASK instead of offline/TASK. One transaction; throws StoreError.
void write_bundle(ExperienceStore& store, const LookupTable& table, const RankingModel& model, std::int64_t images,
                  const std::string& group = "");

}  // namespace hyperfd
