#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "trial/report/http_client.h"
#include "trial/report/trial_channel.h"

namespace hyperfd {

// What NNI's manager has on record for one trial, over the REST interface that its web portal uses.
class NniRest {
 public:
  // `command_channel`: the trial's channel, http://HOST:PORT[/PREFIX]/env/ENVIRONMENT/TRIAL. The REST interface is
  // under http://HOST:PORT[/PREFIX]/api/v1/nni. Throws InputError when there is no /env/ in it.
  NniRest(const HttpUrl& command_channel, const std::string& trial_job_id, std::chrono::milliseconds timeout);

  enum class State {
    kNoSuchRoute,  // whoever answers here has no record of trials (a keeper on a remote machine)
    kNotYet,       // the manager has not stored the trial, and drops its metrics
    kRegistered    // the trial is running as far as the manager knows
  };
  struct Record {
    State state = State::kNotYet;
    Assignment assignment;  // meaningful when registered
  };

  // A resumed trial is listed as soon as the manager starts, but counts only from when its new life is on record.
  // Throws HttpFailure when no reply came, ProtocolError when it makes no sense.
  Record trial() const;

  // Whether the manager has a final result of this trial. Throws as trial() does.
  bool has_final_result() const;

  std::string trial_url() const { return trial_.text(); }

 private:
  HttpUrl trial_, final_results_;
  std::chrono::milliseconds timeout_;
};

}  // namespace hyperfd
