#include "trial/report/trial_channel.h"

#include <iostream>

#include "trial/report/nni_file_channel.h"
#include "trial/report/nni_http_channel.h"
#include "trial/report/nni_stdout_channel.h"
#include "trial/report/standalone_channel.h"
#include "tuner/base/error.h"

namespace hyperfd {
namespace {

void require(const std::string& value, const char* name) {
  if (value.empty()) throw InputError(std::string(name) + ": expected NNI to set it for a trial, but it is not set");
}

}  // namespace

std::unique_ptr<TrialChannel> open_trial_channel(const Json& standalone_parameters) {
  return open_trial_channel(TrialEnvironment::of_this_process(), standalone_parameters);
}

std::unique_ptr<TrialChannel> open_trial_channel(const TrialEnvironment& environment,
                                                 const Json& standalone_parameters) {
  if (environment.is_standalone()) return std::make_unique<StandaloneChannel>(standalone_parameters, std::cout);
  if (!environment.command_channel.empty()) {
    require(environment.trial_job_id, "NNI_TRIAL_JOB_ID");
    return std::make_unique<NniHttpChannel>(environment);
  }
  require(environment.trial_job_id, "NNI_TRIAL_JOB_ID");
  require(environment.system_directory, "NNI_SYS_DIR");
  if (environment.platform == "local" && !environment.reuse_mode) return std::make_unique<NniFileChannel>(environment);
  return std::make_unique<NniStdoutChannel>(environment, std::cout);
}

}  // namespace hyperfd
