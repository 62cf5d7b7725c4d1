#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "tuner/base/vocabulary.h"

namespace hyperfd {

// Rows of the experience store, as plain values. `id` is the row's number in the store, 0 before it is stored.

struct ExperimentRecord {
  std::int64_t id = 0;  // also the task's number
  std::string name;     // the experiment id that clients use
  std::int64_t space = 0;
  std::string signature;   // of the space
  std::string definition;  // of the space, JSON text as the client sent it
  std::string annotation;  // of the space, JSON text; "" if it has none
  OptimizeMode optimize_mode = OptimizeMode::kMaximize;
  std::int64_t budget = 0;  // trials; 0: unknown
  std::string policy;
  std::int64_t seed = 0;
};

// A configuration with everything known of it. Parameter ids count within a run; a customised or imported trial has
// none.
struct ConfigurationRecord {
  std::int64_t id = 0;
  std::int64_t run = 0;
  std::optional<std::int64_t> parameter_id;
  std::string trial_job_id;  // only kept where it is the key: trials without parameter id
  std::int64_t space = 0;    // the space that it is a point of; 0: not a point of the experiment's space
  std::string fingerprint;
  std::string parameters;  // JSON text, exactly as answered or received
  ConfigurationSource source = ConfigurationSource::kAlgorithm;
  bool has_result = false;
  std::optional<double> metric;         // as reported, sign not turned; nullopt: no result, or not a number
  std::optional<TrialOutcome> outcome;  // how its trial ended; nullopt: it has not, or nobody said so
};

struct IntermediateResult {
  std::int64_t configuration = 0;
  std::int64_t sequence = 0;
  std::string value;  // JSON text
};

struct TrialEndRecord {
  std::int64_t run = 0;
  std::optional<std::int64_t> parameter_id;
  std::string trial_job_id;
  TrialOutcome outcome = TrialOutcome::kSucceeded;
};

// One result that a ranker may learn from.
struct ExperienceRecord {
  std::int64_t task = 0;  // ExperimentRecord::id
  std::string experiment;
  OptimizeMode optimize_mode = OptimizeMode::kMaximize;
  std::string parameters;  // JSON text
  double metric = 0;       // as reported
};

struct NamedNumber {
  std::string name;
  double value = 0;  // kWithheld where a client does not say it
};
inline constexpr double kWithheld = std::numeric_limits<double>::quiet_NaN();

// What is known of a task's data set: numbers that a user gave, or what the client that serves its images says.
struct DatasetRecord {
  std::int64_t task = 0;
  std::string extractor;            // content hash of what made the image features; "": no images
  std::int64_t image_features = 0;  // numbers of one image
  std::int64_t images = 0;
  std::vector<NamedNumber> statistics;  // names distinct
  // φ by the extractor of this version of the signature's ranker; empty: not known.
  std::vector<float> feature;
  std::string ranker_signature;
  std::int64_t ranker_version = 0;
};

struct StoredReply {
  std::string digest;  // of the request's frame
  std::string frame;   // of the reply
};

struct RankerRecord {
  std::string signature;
  std::int64_t version = 0;  // 1, 2, … for each signature
  std::int64_t results = 0;  // how many results it has learned from
  std::string model;         // RankingModel::serialize()
};

// What ExperienceStore::merge() added.
struct MergedExperience {
  std::int64_t experiments = 0, results = 0;
  std::int64_t replaced = 0;  // of the experiments: those that took the place of earlier ones
  std::int64_t rankers = 0;   // signatures whose rankers came along
  // Names of experiments that were left out: here they stand for tasks on spaces of other signatures.
  std::vector<std::string> of_other_spaces;
};

// Experiments of a bundle are named by their table's tasks, after this.
inline constexpr char kOfflinePrefix[] = "offline/";
inline bool is_offline(const std::string& experiment) {
  return experiment.compare(0, sizeof kOfflinePrefix - 1, kOfflinePrefix) == 0;
}

// A line of `hyperfd-tuner inspect`.
struct ExperimentSummary {
  std::int64_t id = 0;
  std::string name;
  std::string signature;
  OptimizeMode optimize_mode = OptimizeMode::kMaximize;
  std::int64_t budget = 0;
  std::string policy;
  std::int64_t runs = 0;
  std::int64_t configurations = 0;
  std::int64_t results = 0;
  std::int64_t failed = 0;
  std::optional<double> best;   // best metric in the experiment's mode
  std::string best_parameters;  // JSON text; "" without a result
};

struct RankerSummary {
  std::string signature;
  std::int64_t version = 0;
  std::int64_t results = 0;
  std::string created;  // UTC, ISO 8601
};

}  // namespace hyperfd
