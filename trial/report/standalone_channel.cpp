#include "trial/report/standalone_channel.h"

#include "tuner/base/error.h"

namespace hyperfd {

StandaloneChannel::StandaloneChannel(const Json& parameters, std::ostream& output)
    : parameters_(parameters), output_(output) {
  if (!parameters_.is_object()) throw InputError("parameters: expected an object, got " + brief(parameters_));
}

Assignment StandaloneChannel::ask() {
  return {nullptr, parameters_};
}

void StandaloneChannel::send(const Metric& metric) {
  if (metric.type == MetricType::kFinal) {
    output_ << "Final result: " << metric.value << std::endl;
  } else {
    output_ << "Intermediate result: " << metric.value << "  (Index " << metric.sequence << ")" << std::endl;
  }
}

}  // namespace hyperfd
