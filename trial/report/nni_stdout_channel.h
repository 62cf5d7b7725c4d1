#pragma once

#include <chrono>
#include <ostream>
#include <string>

#include "trial/report/sequenced_channel.h"

namespace hyperfd {

// NNI's cluster training services (Kubeflow, FrameworkController, …): the configuration is in
// $NNI_SYS_DIR/parameter.cfg, metrics are lines `NNISDK_MEb'…'` on standard output, which NNI's trial runner reads.
class NniStdoutChannel : public SequencedChannel {
 public:
  // `output` must outlive the channel.
  NniStdoutChannel(const TrialEnvironment& environment, std::ostream& output,
                   std::chrono::milliseconds patience = std::chrono::seconds(60));

 private:
  Assignment ask() override;
  void send(const Metric& metric) override;

  std::string directory_, trial_job_id_;
  std::ostream& output_;
  std::chrono::milliseconds patience_;
};

}  // namespace hyperfd
