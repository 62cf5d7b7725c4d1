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

struct Initialize {
  static constexpr char kType[] = "IN";
  std::string run;
  std::string space;  // JSON text
  OptimizeMode optimize_mode = OptimizeMode::kMaximize;
  std::int64_t budget = 0;  // trials; 0: unknown
  std::string policy;
  std::int64_t seed = 0;
  std::optional<std::string> annotation{};  // JSON text

  template <typename Self, typename Visitor>
  static void fields(Self& self, Visitor& visit) {
    visit("run", self.run);
    visit("space", self.space);
    visit("optimize_mode", self.optimize_mode);
    visit("budget", self.budget);
    visit("policy", self.policy);
    visit("seed", self.seed);
    visit.optional("annotation", self.annotation);
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
                          AddCustomizedTrials, Terminate, Ping, Initialized, NewTrialJobs, NoMoreTrialJobs,
                          SendTrialJobParameter, Acknowledged, Failure>;

// One frame. A reply carries the `experiment` and `request` of its request.
struct Message {
  std::string experiment;
  std::string request;
  Body body;
};

}  // namespace hyperfd::wire
