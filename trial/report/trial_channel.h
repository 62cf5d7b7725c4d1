#pragma once

#include <memory>

#include "trial/report/trial_environment.h"
#include "tuner/base/json.h"

namespace hyperfd {

// What a trial was given to run.
struct Assignment {
  // NNI's id of the configuration, kept as it came and sent back with every metric: a number, text (Hyperband and BOHB
  // use "1_0_3"), or null for a customised trial and standalone.
  Json parameter_id = nullptr;
  Json parameters = Json::object();
};

// A trial's line to whatever started it. One of: NNI 3 over HTTP, NNI 2.10 and cluster services over files or stdout,
// nothing (standalone: prints the lines that NNI's own SDK prints). Not thread-safe.
class TrialChannel {
 public:
  virtual ~TrialChannel() = default;

  // Asks once; later calls give the same answer. Throws ProtocolError when the manager is gone or talks nonsense.
  virtual const Assignment& assignment() = 0;

  // A metric while training; sequence numbers are counted here. `value`: a finite number, or an object with a finite
  // number "default". Throws InputError for any other value, and nothing is sent: NNI would stop the whole experiment
  // or hang on it. Throws ProtocolError when the receiver is gone.
  virtual void report_intermediate(const Json& value) = 0;

  // The result. Returns when the receiver has it. Call once: later calls are ignored (NNI would count a second result).
  // Throws as report_intermediate does; after a ProtocolError it may be called again.
  virtual void report_final(const Json& value) = 0;
};

// Chooses by the environment that NNI gives a trial: NNI_TRIAL_COMMAND_CHANNEL → HTTP; else NNI_PLATFORM → files or
// stdout; else standalone. `standalone_parameters` is what a standalone trial runs with, an object.
// Opens no connection. Throws InputError when the environment makes no sense.
std::unique_ptr<TrialChannel> open_trial_channel(const Json& standalone_parameters);
std::unique_ptr<TrialChannel> open_trial_channel(const TrialEnvironment& environment,
                                                 const Json& standalone_parameters);

}  // namespace hyperfd
