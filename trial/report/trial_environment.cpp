#include "trial/report/trial_environment.h"

#include <cstdlib>

namespace hyperfd {
namespace {

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

}  // namespace

TrialEnvironment TrialEnvironment::of_this_process() {
  TrialEnvironment environment;
  environment.platform = variable("NNI_PLATFORM");
  environment.trial_job_id = variable("NNI_TRIAL_JOB_ID");
  environment.command_channel = variable("NNI_TRIAL_COMMAND_CHANNEL");
  environment.system_directory = variable("NNI_SYS_DIR");
  const std::string reuse_mode = variable("REUSE_MODE");
  environment.reuse_mode = reuse_mode == "true" || reuse_mode == "True";
  return environment;
}

}  // namespace hyperfd
