#include "trial/report/sequenced_channel.h"

#include "tuner/base/log.h"

namespace hyperfd {

const Assignment& SequencedChannel::assignment() {
  if (!assignment_) assignment_ = ask();
  return *assignment_;
}

void SequencedChannel::report_intermediate(const Json& value) {
  check_metric_value(value);
  send({MetricType::kPeriodical, next_sequence_, assignment().parameter_id, value});
  ++next_sequence_;
}

void SequencedChannel::report_final(const Json& value) {
  check_metric_value(value);
  if (finished_) {
    spdlog::warn("a second final result ({}) is not reported: NNI would count it as another trial's", brief(value));
    return;
  }
  send({MetricType::kFinal, 0, assignment().parameter_id, value});
  finished_ = true;
}

}  // namespace hyperfd
