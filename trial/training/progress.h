#pragma once

#include <chrono>
#include <optional>
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
  std::optional<double> share_before_;       // of the run, done by an earlier life; not known before the first step
  std::optional<double> average_precision_;  // of the latest validation
};

// Shows on stdout how many of `total` things are done: a line that is redrawn on a terminal, nothing elsewhere.
class CountProgress {
 public:
  CountProgress(std::string things, std::size_t total);
  void show(std::size_t done);
  // Takes the line away.
  void finish() const;

 private:
  std::string things_;
  std::size_t total_;
  bool terminal_;
  std::chrono::steady_clock::time_point start_, last_drawn_;
};

}  // namespace hyperfd
