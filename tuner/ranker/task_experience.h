#pragma once

#include <string>
#include <vector>

#include "tuner/ranker/dataset_client.h"
#include "tuner/ranker/encoded_configuration.h"

namespace hyperfd {

// How an update sees a task: batches draw them at different rates.
enum class TaskRole {
  kPast,     // its data set cannot be asked any more: S_past
  kOffline,  // ships with the platform, its data set can always be asked: S_offline
  kCurrent,  // has just been tuned: S
};

// Experience of one task: n configurations and n finite scores (higher is better; any scale), and what is known of its
// data set: nothing, numbers, or images.
struct TaskExperience {
  std::string task;
  std::vector<EncodedConfiguration> encodings;
  std::vector<double> scores;

  // Numbers that describe the data set, the same ones for all tasks; empty: not known.
  std::vector<double> statistics = {};
  // G's meta-feature by the extractor of the model that is asked; empty: not known. An update takes it for a data set
  // that cannot be asked and that the model has not seen.
  std::vector<float> feature = {};
  // For update(): where to ask for meta-features, not owned; nullptr: nowhere. Past tasks are asked by the oracle
  // alone.
  DatasetClient* dataset = nullptr;
  TaskRole role = TaskRole::kPast;
};

}  // namespace hyperfd
