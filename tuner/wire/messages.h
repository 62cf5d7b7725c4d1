#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "tuner/base/vocabulary.h"

// Everything that is ever sent between a client and hyperfd-tuner. docs/protocol.md says what each message means;
// this file is the same list for the compiler: `fields` names each field once, for packing and for unpacking. What came
// after the first release is `optional`: left out where it has no value, so that older peers understand each other.
namespace hyperfd::wire {

inline constexpr std::int64_t kProtocolVersion = 1;
inline constexpr std::size_t kMaxFrameBytes = 16u << 20;
inline constexpr std::size_t kMaxIdBytes = 128;

// ---- Requests ----

struct Statistic {
  std::string name;
  std::optional<double> value;  // nil: withheld

  template <typename Self, typename Visitor>
  static void fields(Self& self, Visitor& visit) {
    visit("name", self.name);
    visit("value", self.value);
  }
};

struct Initialize {
  static constexpr char kType[] = "IN";
  std::string run;
  std::string space;  // JSON text
  OptimizeMode optimize_mode = OptimizeMode::kMaximize;
  std::int64_t budget = 0;  // trials; 0: unknown
  std::string policy;
  std::int64_t seed = 0;
  std::optional<std::string> annotation{};                // JSON text
  std::optional<std::vector<Statistic>> meta_features{};  // of the data set, as a user gives them

  template <typename Self, typename Visitor>
  static void fields(Self& self, Visitor& visit) {
    visit("run", self.run);
    visit("space", self.space);
    visit("optimize_mode", self.optimize_mode);
    visit("budget", self.budget);
    visit("policy", self.policy);
    visit("seed", self.seed);
    visit.optional("annotation", self.annotation);
    visit.optional("meta_features", self.meta_features);
  }
};

struct UpdateSearchSpace {
  static constexpr char kType[] = "SS";
  std::string run;
  std::string space;  // JSON text

  template <typename Self, typename Visitor>
  static void fields(Self& self, Visitor& visit) {
    visit("run", self.run);
    visit("space", self.space);
  }
};

struct RequestTrialJobs {
  static constexpr char kType[] = "GE";
  std::string run;
  std::vector<std::int64_t> parameter_ids;

  template <typename Self, typename Visitor>
  static void fields(Self& self, Visitor& visit) {
    visit("run", self.run);
    visit("parameter_ids", self.parameter_ids);
  }
};

struct ReportMetric {
  static constexpr char kType[] = "ME";
  std::string run;
  std::optional<std::int64_t> parameter_id;
  std::string trial_job_id;
  MetricKind kind = MetricKind::kFinal;
  std::int64_t sequence = 0;
  std::string value;       // JSON text
  std::string parameters;  // JSON text, or "" when the server gave the configuration out itself

  template <typename Self, typename Visitor>
  static void fields(Self& self, Visitor& visit) {
    visit("run", self.run);
    visit("parameter_id", self.parameter_id);
    visit("trial_job_id", self.trial_job_id);
    visit("kind", self.kind);
    visit("sequence", self.sequence);
    visit("value", self.value);
    visit("parameters", self.parameters);
  }
};

struct TrialEnd {
  static constexpr char kType[] = "EN";
  std::string run;
  std::optional<std::int64_t> parameter_id;
  std::string trial_job_id;
  TrialOutcome outcome = TrialOutcome::kSucceeded;

  template <typename Self, typename Visitor>
  static void fields(Self& self, Visitor& visit) {
    visit("run", self.run);
    visit("parameter_id", self.parameter_id);
    visit("trial_job_id", self.trial_job_id);
    visit("outcome", self.outcome);
  }
};

struct ImportedRecord {
  std::string parameters;  // JSON text
  std::string value;       // JSON text

  template <typename Self, typename Visitor>
  static void fields(Self& self, Visitor& visit) {
    visit("parameters", self.parameters);
    visit("value", self.value);
  }
};

struct ImportData {
  static constexpr char kType[] = "FD";
  std::string run;
  std::vector<ImportedRecord> records;

  template <typename Self, typename Visitor>
  static void fields(Self& self, Visitor& visit) {
    visit("run", self.run);
    visit("records", self.records);
  }
};

struct CustomizedTrial {
  std::int64_t parameter_id = 0;
  std::string parameters;  // JSON text

  template <typename Self, typename Visitor>
  static void fields(Self& self, Visitor& visit) {
    visit("parameter_id", self.parameter_id);
    visit("parameters", self.parameters);
  }
};

struct AddCustomizedTrials {
  static constexpr char kType[] = "AD";
  std::string run;
  std::vector<CustomizedTrial> records;

  template <typename Self, typename Visitor>
  static void fields(Self& self, Visitor& visit) {
    visit("run", self.run);
    visit("records", self.records);
  }
};

struct Terminate {
  static constexpr char kType[] = "TE";
  std::string run;

  template <typename Self, typename Visitor>
  static void fields(Self& self, Visitor& visit) {
    visit("run", self.run);
  }
};

struct OpenDataset {
  static constexpr char kType[] = "DO";
  std::string session;
  std::string extractor;  // content hash of what made the image features
  std::int64_t image_features = 0;
  std::int64_t images = 0;
  std::vector<Statistic> statistics;
  std::optional<bool> updates{};  // false: gives φ, and takes no part in updates of the ranker

  template <typename Self, typename Visitor>
  static void fields(Self& self, Visitor& visit) {
    visit("session", self.session);
    visit("extractor", self.extractor);
    visit("image_features", self.image_features);
    visit("images", self.images);
    visit("statistics", self.statistics);
    visit.optional("updates", self.updates);
  }
};

// Numbers travel as binary data: float32, little-endian.
using Floats = std::vector<float>;

// φ and φ~ of a data set.
struct ComputedFeature {
  std::string extractor;
  Floats feature;
  Floats twin;

  template <typename Self, typename Visitor>
  static void fields(Self& self, Visitor& visit) {
    visit("extractor", self.extractor);
    visit("feature", self.feature);
    visit("twin", self.twin);
  }
};

struct NextOrder {
  static constexpr char kType[] = "DN";
  std::string session;
  std::int64_t order = 0;  // the latest one that was carried out; 0: none
  std::optional<ComputedFeature> feature{};
  std::optional<Floats> gradient{};
  std::optional<std::string> refusal{};

  template <typename Self, typename Visitor>
  static void fields(Self& self, Visitor& visit) {
    visit("session", self.session);
    visit("order", self.order);
    visit.optional("feature", self.feature);
    visit.optional("gradient", self.gradient);
    visit.optional("refusal", self.refusal);
  }
};

// A part of the bundle that the server offers.
struct RequestBundle {
  static constexpr char kType[] = "BU";
  std::int64_t offset = 0;  // bytes

  template <typename Self, typename Visitor>
  static void fields(Self& self, Visitor& visit) {
    visit("offset", self.offset);
  }
};

struct Ping {
  static constexpr char kType[] = "PI";

  template <typename Self, typename Visitor>
  static void fields(Self&, Visitor&) {}
};

// ---- Replies ----

struct Initialized {
  static constexpr char kType[] = "ID";
  std::string server;
  std::int64_t task = 0;
  bool resumed = false;
  std::int64_t results = 0;
  std::int64_t past_tasks = 0;

  template <typename Self, typename Visitor>
  static void fields(Self& self, Visitor& visit) {
    visit("server", self.server);
    visit("task", self.task);
    visit("resumed", self.resumed);
    visit("results", self.results);
    visit("past_tasks", self.past_tasks);
  }
};

struct Trial {
  std::int64_t parameter_id = 0;
  std::string parameters;  // JSON text
  ConfigurationSource source = ConfigurationSource::kAlgorithm;

  template <typename Self, typename Visitor>
  static void fields(Self& self, Visitor& visit) {
    visit("parameter_id", self.parameter_id);
    visit("parameters", self.parameters);
    visit("source", self.source);
  }
};

struct NewTrialJobs {
  static constexpr char kType[] = "TR";
  std::vector<Trial> trials;

  template <typename Self, typename Visitor>
  static void fields(Self& self, Visitor& visit) {
    visit("trials", self.trials);
  }
};

struct NoMoreTrialJobs {
  static constexpr char kType[] = "NO";
  std::string reason;

  template <typename Self, typename Visitor>
  static void fields(Self& self, Visitor& visit) {
    visit("reason", self.reason);
  }
};

struct SendTrialJobParameter {
  static constexpr char kType[] = "SP";
  std::int64_t parameter_id = 0;
  std::string trial_job_id;
  std::string parameters;  // JSON text

  template <typename Self, typename Visitor>
  static void fields(Self& self, Visitor& visit) {
    visit("parameter_id", self.parameter_id);
    visit("trial_job_id", self.trial_job_id);
    visit("parameters", self.parameters);
  }
};

struct ComputeFeature {
  static constexpr char kType[] = "DF";
  std::int64_t order = 0;
  Floats weights;  // of G
  std::int64_t seed = 0;

  template <typename Self, typename Visitor>
  static void fields(Self& self, Visitor& visit) {
    visit("order", self.order);
    visit("weights", self.weights);
    visit("seed", self.seed);
  }
};

struct ComputeGradient {
  static constexpr char kType[] = "DB";
  std::int64_t order = 0;
  Floats feature;  // ∂loss/∂φ
  Floats twin;     // ∂loss/∂φ~

  template <typename Self, typename Visitor>
  static void fields(Self& self, Visitor& visit) {
    visit("order", self.order);
    visit("feature", self.feature);
    visit("twin", self.twin);
  }
};

struct NoOrder {
  static constexpr char kType[] = "DW";

  template <typename Self, typename Visitor>
  static void fields(Self&, Visitor&) {}
};

struct Dismissed {
  static constexpr char kType[] = "DE";
  std::string reason;

  template <typename Self, typename Visitor>
  static void fields(Self& self, Visitor& visit) {
    visit("reason", self.reason);
  }
};

using Bytes = std::vector<unsigned char>;

struct BundlePart {
  static constexpr char kType[] = "BP";
  std::string digest;     // SHA-256 of the whole
  std::int64_t size = 0;  // bytes of the whole
  Bytes part;             // from `offset` on; empty at the end

  template <typename Self, typename Visitor>
  static void fields(Self& self, Visitor& visit) {
    visit("digest", self.digest);
    visit("size", self.size);
    visit("part", self.part);
  }
};

struct Acknowledged {
  static constexpr char kType[] = "OK";
  std::int64_t counted = 0;
  std::string warning;  // "" if none

  template <typename Self, typename Visitor>
  static void fields(Self& self, Visitor& visit) {
    visit("counted", self.counted);
    visit("warning", self.warning);
  }
};

struct Failure {
  static constexpr char kType[] = "ER";
  std::string code;
  std::string message;

  template <typename Self, typename Visitor>
  static void fields(Self& self, Visitor& visit) {
    visit("code", self.code);
    visit("message", self.message);
  }
};

using Body = std::variant<Initialize, UpdateSearchSpace, RequestTrialJobs, ReportMetric, TrialEnd, ImportData,
                          AddCustomizedTrials, Terminate, OpenDataset, NextOrder, RequestBundle, Ping, Initialized,
                          NewTrialJobs, NoMoreTrialJobs, SendTrialJobParameter, ComputeFeature, ComputeGradient,
                          NoOrder, Dismissed, BundlePart, Acknowledged, Failure>;

// One frame. A reply carries the `experiment` and `request` of its request.
struct Message {
  std::string experiment;
  std::string request;
  Body body;
};

}  // namespace hyperfd::wire
