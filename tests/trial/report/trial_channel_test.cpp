#include "trial/report/trial_channel.h"

#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "trial/report/nni_file_channel.h"
#include "trial/report/nni_http_channel.h"
#include "trial/report/nni_stdout_channel.h"
#include "trial/report/standalone_channel.h"
#include "tuner/base/error.h"

namespace hyperfd {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

TrialEnvironment nni_environment(const std::string& platform, const std::string& command_channel = "") {
  TrialEnvironment environment;
  environment.platform = platform;
  environment.trial_job_id = "AbCdE";
  environment.system_directory = "/tmp";
  environment.command_channel = command_channel;
  return environment;
}

template <typename Channel>
bool opens(const TrialEnvironment& environment) {
  return dynamic_cast<Channel*>(open_trial_channel(environment, Json::object()).get()) != nullptr;
}

TEST(OpenTrialChannel, ChoosesByTheEnvironment) {
  EXPECT_TRUE(opens<NniHttpChannel>(nni_environment("local", "http://localhost:1/env/local-env/AbCdE")));
  EXPECT_TRUE(opens<NniHttpChannel>(nni_environment("remote", "http://localhost:1/env/remote-worker0/AbCdE")));
  EXPECT_TRUE(opens<NniFileChannel>(nni_environment("local")));
  EXPECT_TRUE(opens<NniStdoutChannel>(nni_environment("kubeflow")));
  EXPECT_TRUE(opens<StandaloneChannel>(nni_environment("")));
  EXPECT_TRUE(opens<StandaloneChannel>(nni_environment("unittest")));
  EXPECT_TRUE(opens<StandaloneChannel>(TrialEnvironment{}));

  TrialEnvironment reused = nni_environment("local");
  reused.reuse_mode = true;
  EXPECT_TRUE(opens<NniStdoutChannel>(reused));
}

TEST(OpenTrialChannel, NamesWhatIsMissingOrMeaningless) {
  const auto opening = [](TrialEnvironment environment) {
    return [environment] { open_trial_channel(environment, Json::object()); };
  };
  TrialEnvironment environment = nni_environment("local", "import://module.Class");
  EXPECT_THAT(opening(environment), ThrowsMessage<InputError>(HasSubstr("import://module.Class")));
  environment = nni_environment("local", "http://localhost:1/elsewhere");
  EXPECT_THAT(opening(environment), ThrowsMessage<InputError>(HasSubstr("NNI_TRIAL_COMMAND_CHANNEL")));
  environment = nni_environment("local", "http://localhost:1/env/local-env/AbCdE");
  environment.trial_job_id.clear();
  EXPECT_THAT(opening(environment), ThrowsMessage<InputError>(HasSubstr("NNI_TRIAL_JOB_ID")));
  environment = nni_environment("kubeflow");
  environment.system_directory.clear();
  EXPECT_THAT(opening(environment), ThrowsMessage<InputError>(HasSubstr("NNI_SYS_DIR")));
  EXPECT_THROW(open_trial_channel(TrialEnvironment{}, Json(3)), InputError);
}

TEST(StandaloneChannel, PrintsTheLinesOfNnisSdk) {
  std::ostringstream output;
  StandaloneChannel channel({{"x", 0.1}}, output);
  EXPECT_EQ(channel.assignment().parameters, Json({{"x", 0.1}}));
  EXPECT_EQ(channel.assignment().parameter_id, Json());
  channel.report_intermediate(0.1);
  channel.report_intermediate({{"default", 0.5}, {"lat", 3}});
  channel.report_final(0.5);
  EXPECT_EQ(output.str(),
            "Intermediate result: 0.1  (Index 0)\n"
            "Intermediate result: {\"default\":0.5,\"lat\":3}  (Index 1)\n"
            "Final result: 0.5\n");
}

}  // namespace
}  // namespace hyperfd
