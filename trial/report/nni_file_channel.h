#pragma once

#include <chrono>
#include <string>

#include "trial/report/sequenced_channel.h"

namespace hyperfd {

// NNI 2.10's local training service: the configuration is in $NNI_SYS_DIR/parameter.cfg, metrics are appended to
// $NNI_SYS_DIR/.nni/metrics, which the manager tails. A metric is `ME`, six digits with the length in bytes of what
// follows, the message and a line feed.
class NniFileChannel : public SequencedChannel {
 public:
  explicit NniFileChannel(const TrialEnvironment& environment,
                          std::chrono::milliseconds patience = std::chrono::seconds(60));

 private:
  Assignment ask() override;
  void send(const Metric& metric) override;

  std::string directory_, trial_job_id_;
  std::chrono::milliseconds patience_;
};

}  // namespace hyperfd
