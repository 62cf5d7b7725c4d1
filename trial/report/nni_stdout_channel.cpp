#include "trial/report/nni_stdout_channel.h"

#include "trial/report/parameter_file.h"
#include "tuner/base/error.h"

namespace hyperfd {
namespace {

// NNI's pattern for the line ends at the first apostrophe, which NNI's own SDK does not heed. Apostrophes occur only
// inside JSON strings, where \u0027 says the same.
std::string without_apostrophes(const std::string& message) {
  std::string text;
  text.reserve(message.size());
  for (const char c : message) {
    if (c == '\'') {
      text += "\\u0027";
    } else {
      text += c;
    }
  }
  return text;
}

}  // namespace

NniStdoutChannel::NniStdoutChannel(const TrialEnvironment& environment, std::ostream& output,
                                   std::chrono::milliseconds patience)
    : directory_(environment.system_directory),
      trial_job_id_(environment.trial_job_id),
      output_(output),
      patience_(patience) {}

Assignment NniStdoutChannel::ask() {
  return read_parameter_file(directory_, patience_);
}

void NniStdoutChannel::send(const Metric& metric) {
  // One write for the whole line, so that another thread's output cannot fall into it.
  output_ << "NNISDK_MEb'" + without_apostrophes(metric_message(metric, trial_job_id_)) + "'\n" << std::flush;
  if (!output_) throw ProtocolError("standard output: expected to be able to print a metric, but writing failed");
}

}  // namespace hyperfd
