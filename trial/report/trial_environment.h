#pragma once

#include <string>

namespace hyperfd {

// The variables by which NNI tells a trial who it is and how to talk back; "" where a variable is not set.
struct TrialEnvironment {
  std::string platform;          // NNI_PLATFORM: local, remote, kubeflow, …; "" or "unittest" means standalone
  std::string trial_job_id;      // NNI_TRIAL_JOB_ID
  std::string command_channel;   // NNI_TRIAL_COMMAND_CHANNEL, since NNI 3.0: http://HOST:PORT/…/env/ENVIRONMENT/TRIAL
  std::string system_directory;  // NNI_SYS_DIR
  bool reuse_mode = false;       // REUSE_MODE, as the trial runner of cluster services sets it

  // Nobody but the user started this trial.
  bool is_standalone() const { return command_channel.empty() && (platform.empty() || platform == "unittest"); }

  static TrialEnvironment of_this_process();
};

}  // namespace hyperfd
