#include "trial/report/nni_file_channel.h"

#include <cstdio>
#include <filesystem>
#include <fstream>

#include "trial/report/parameter_file.h"
#include "tuner/base/error.h"

namespace hyperfd {
namespace {

constexpr std::size_t kLongestMessage = 999'999;  // six digits, as NNI's own SDK asserts

}  // namespace

NniFileChannel::NniFileChannel(const TrialEnvironment& environment, std::chrono::milliseconds patience)
    : directory_(environment.system_directory), trial_job_id_(environment.trial_job_id), patience_(patience) {}

Assignment NniFileChannel::ask() {
  return read_parameter_file(directory_, patience_);
}

void NniFileChannel::send(const Metric& metric) {
  const std::string message = metric_message(metric, trial_job_id_) + "\n";
  if (message.size() > kLongestMessage) {
    throw InputError("metric: NNI takes at most " + std::to_string(kLongestMessage) + " bytes here, got " +
                     std::to_string(message.size()));
  }
  char head[16];
  std::snprintf(head, sizeof head, "ME%06zu", message.size());

  const auto folder = std::filesystem::path(directory_) / ".nni";
  const auto file = folder / "metrics";
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  std::ofstream stream(file, std::ios::binary | std::ios::app);
  stream << head << message << std::flush;
  if (!stream) throw ProtocolError(file.string() + ": expected to be able to append a metric, but writing failed");
}

}  // namespace hyperfd
