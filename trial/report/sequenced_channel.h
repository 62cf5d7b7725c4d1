#pragma once

#include <optional>

#include "trial/report/metric.h"
#include "trial/report/trial_channel.h"

namespace hyperfd {

// What all channels share: asks once, checks values, numbers the metrics, sends one final. A channel adds how it asks
// and how it sends.
class SequencedChannel : public TrialChannel {
 public:
  const Assignment& assignment() final;
  void report_intermediate(const Json& value) final;
  void report_final(const Json& value) final;

 protected:
  virtual Assignment ask() = 0;
  // Returns when the receiver has the metric; throws ProtocolError if it has not got it.
  virtual void send(const Metric& metric) = 0;

 private:
  std::optional<Assignment> assignment_;
  int next_sequence_ = 0;
  bool finished_ = false;
};

}  // namespace hyperfd
