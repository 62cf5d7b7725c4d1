#pragma once

#include <ostream>

#include "trial/report/sequenced_channel.h"

namespace hyperfd {

// A trial that nobody started: runs with the parameters it is given and prints the lines that NNI's SDK prints,
// `Intermediate result: 0.1  (Index 0)` and `Final result: 0.5` (values as JSON).
class StandaloneChannel : public SequencedChannel {
 public:
  // `parameters`: an object, else InputError. `output` must outlive the channel.
  StandaloneChannel(const Json& parameters, std::ostream& output);

 private:
  Assignment ask() override;
  void send(const Metric& metric) override;

  Json parameters_;
  std::ostream& output_;
};

}  // namespace hyperfd
