// The channels of NNI 2.10 and of cluster services. The expected bytes were written by NNI 3.0's own Python SDK
// (nni.runtime.trial_command_channel.local_legacy) given the same parameter.cfg and the same values.
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "trial/report/nni_file_channel.h"
#include "trial/report/nni_stdout_channel.h"
#include "tuner/base/error.h"
#include "tuner/base/files.h"

namespace hyperfd {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;
using testing::ThrowsMessage;

class NniFiles : public testing::Test {
 protected:
  void SetUp() override {
    const auto* test = testing::UnitTest::GetInstance()->current_test_info();
    directory_ = std::filesystem::path(testing::TempDir()) / ("hyperfd_" + std::string(test->name()));
    std::filesystem::remove_all(directory_);
    std::filesystem::create_directories(directory_);
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  void write_parameters(const std::string& text) { std::ofstream(directory_ / "parameter.cfg") << text; }

  TrialEnvironment environment(const std::string& platform) const {
    TrialEnvironment environment;
    environment.platform = platform;
    environment.trial_job_id = "AbCdE";
    environment.system_directory = directory_.string();
    return environment;
  }

  std::filesystem::path directory_;
  const std::string record_ =
      R"({"parameter_id": 7, "parameter_source": "algorithm", "parameters": {"x": 0.1}, "parameter_index": 0})"
      "\n";
};

TEST_F(NniFiles, LocalMetricsAreTheBytesOfNnisSdk) {
  write_parameters(record_);
  NniFileChannel channel(environment("local"));
  EXPECT_EQ(channel.assignment().parameters, Json({{"x", 0.1}}));
  channel.report_intermediate(0.25);
  channel.report_intermediate({{"default", 0.5}, {"it's", 3}, {"é", 1e-05}});
  channel.report_final(0.1);
  EXPECT_EQ(
      read_file((directory_ / ".nni" / "metrics").string()),
      R"(ME000099{"parameter_id": 7, "trial_job_id": "AbCdE", "type": "PERIODICAL", "sequence": 0, "value": "0.25"})"
      "\n"
      R"(ME000146{"parameter_id": 7, "trial_job_id": "AbCdE", "type": "PERIODICAL", "sequence": 1, )"
      R"("value": "{\"default\": 0.5, \"it's\": 3, \"\\u00e9\": 1e-05}"})"
      "\n"
      R"(ME000093{"parameter_id": 7, "trial_job_id": "AbCdE", "type": "FINAL", "sequence": 0, "value": "0.1"})"
      "\n");
}

TEST_F(NniFiles, ClusterMetricsAreTheLinesOfNnisSdkWithApostrophesEscaped) {
  write_parameters(record_);
  std::ostringstream output;
  NniStdoutChannel channel(environment("kubeflow"), output);
  channel.report_intermediate(0.25);
  channel.report_intermediate({{"default", 0.5}, {"it's", 3}, {"é", 1e-05}});
  channel.report_final(0.1);
  EXPECT_EQ(
      output.str(),
      R"(NNISDK_MEb'{"parameter_id": 7, "trial_job_id": "AbCdE", "type": "PERIODICAL", "sequence": 0, "value": "0.25"}')"
      "\n"
      R"(NNISDK_MEb'{"parameter_id": 7, "trial_job_id": "AbCdE", "type": "PERIODICAL", "sequence": 1, )"
      R"("value": "{\"default\": 0.5, \"it\u0027s\": 3, \"\\u00e9\": 1e-05}"}')"
      "\n"
      R"(NNISDK_MEb'{"parameter_id": 7, "trial_job_id": "AbCdE", "type": "FINAL", "sequence": 0, "value": "0.1"}')"
      "\n");
}

TEST_F(NniFiles, AnEscapedApostropheReadsAsItself) {
  write_parameters(record_);
  std::ostringstream output;
  NniStdoutChannel channel(environment("kubeflow"), output);
  channel.report_final({{"default", 1}, {"note", "it's 'quoted'"}});
  const std::string line = output.str();
  const std::string message = line.substr(11, line.find('\'', 11) - 11);  // NNI's pattern: NNISDK_MEb'(.*?)'
  const Json value = Json::parse(Json::parse(message).at("value").get<std::string>());
  EXPECT_EQ(value.at("note"), "it's 'quoted'");
}

TEST_F(NniFiles, WaitsForTheParametersToBeWhole) {
  write_parameters("");
  std::thread writer([this] {
    std::this_thread::sleep_for(milliseconds(100));
    write_parameters(record_.substr(0, 20));
    std::this_thread::sleep_for(milliseconds(300));
    write_parameters(record_);
  });
  NniFileChannel channel(environment("local"));
  EXPECT_EQ(channel.assignment().parameter_id, 7);
  writer.join();
}

TEST_F(NniFiles, NamesTheFileThatIsMissingOrBroken) {
  const std::string file = (directory_ / "parameter.cfg").string();
  const auto ask = [this] { NniFileChannel(environment("local"), milliseconds(20)).assignment(); };
  EXPECT_THAT(ask, ThrowsMessage<ProtocolError>(testing::AllOf(HasSubstr(file), HasSubstr("No such file"))));
  write_parameters("");
  EXPECT_THAT(ask, ThrowsMessage<ProtocolError>(testing::AllOf(HasSubstr(file), HasSubstr("empty"))));
  write_parameters(R"({"parameter_id": 1, "parameters": ""})");
  EXPECT_THAT(ask, ThrowsMessage<ProtocolError>(testing::AllOf(HasSubstr(file), HasSubstr("\"parameters\""))));
}

TEST_F(NniFiles, RefusesAMetricThatSixDigitsCannotMeasure) {
  write_parameters(record_);
  NniFileChannel channel(environment("local"));
  EXPECT_THAT(
      [&] {
        channel.report_final({{"default", 1}, {"note", std::string(1'000'000, 'x')}});
      },
      ThrowsMessage<InputError>(HasSubstr("at most 999999 bytes")));
  EXPECT_FALSE(std::filesystem::exists(directory_ / ".nni" / "metrics"));
}

TEST_F(NniFiles, NamesTheMetricsFileThatCannotBeWritten) {
  write_parameters(record_);
  NniFileChannel channel(environment("local"));
  channel.assignment();
  std::ofstream(directory_ / ".nni") << "a file where the folder should be";
  EXPECT_THAT([&] { channel.report_final(1); }, ThrowsMessage<ProtocolError>(HasSubstr(".nni/metrics")));
}

TEST_F(NniFiles, TextThatIsNotUtf8IsRefused) {
  write_parameters(record_);
  NniFileChannel channel(environment("local"));
  EXPECT_THROW(channel.report_final({{"default", 1}, {"note", "\xff"}}), InputError);
}

}  // namespace
}  // namespace hyperfd
