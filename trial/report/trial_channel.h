#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "tuner/base/json.h"

namespace hyperfd {

// What a trial was given to run.
struct Assignment {
  std::optional<std::int64_t> parameter_id;  // none: a customised trial, or standalone
  Json parameters = Json::object();
};

// A trial's line to whatever started it. One of: NNI 3 over HTTP, NNI 2.10 and cluster services over files or stdout,
// nothing (standalone: prints the lines that NNI's own SDK prints). Not thread-safe.
class TrialChannel {
 public:
  virtual ~TrialChannel() = default;
  // Asks once; later calls give the same answer. Throws ProtocolError when the manager is gone or talks nonsense.
  virtual const Assignment& assignment() = 0;
  // A metric while training; sequence numbers are counted here. `value`: a number, or an object with a number "default".
  virtual void report_intermediate(const Json& value) = 0;
  // The result. Returns when the receiver has it. Call once: later calls are ignored (NNI would count a second result).
  virtual void report_final(const Json& value) = 0;
};

// Chooses by the environment (nni.md §0.1): NNI_TRIAL_COMMAND_CHANNEL → HTTP; else NNI_PLATFORM → files or stdout; else standalone.
// `standalone_parameters` is what a standalone trial runs with.
std::unique_ptr<TrialChannel> open_trial_channel(const Json& standalone_parameters);

}  // namespace hyperfd
