#pragma once

#include <chrono>
#include <string>

#include "trial/training/trainer.h"

namespace hyperfd {

// Shows a training run on stdout: one line that is redrawn on a terminal, a line an epoch elsewhere.
class Progress {
 public:
  Progress();
  void step(const StepReport& step);
  void epoch(const EpochReport& epoch);
  // The summary at the end.
  void result(const TrainingResult& result, const std::string& folder);

 private:
  void clear_line() const;

  bool terminal_;
  std::chrono::steady_clock::time_point start_, last_drawn_;
};

}  // namespace hyperfd
