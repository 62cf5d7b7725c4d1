#pragma once

namespace hyperfd {

struct ScheduleOptions {
  double warmup_epochs = 1;  // the factor rises linearly from 0.1
  bool cosine = false;       // falls to 0.01 along a half cosine; else it falls when validation stagnates
  double epochs = 1000;      // length of the half cosine, warm-up included
  int plateau_patience = 5;  // stagnant validations before the factor falls
  double plateau_factor = 0.1;
  int stop_patience = 8;  // stagnant validations before training should stop
};

// The learning rate over a training run, as a factor of the recipe's, and when to stop.
class Schedule {
 public:
  explicit Schedule(const ScheduleOptions& options) : options_(options) {}

  // The factor at a moment counted in epochs, e.g. 2.5 in the middle of the third.
  double factor(double epoch) const;
  // Takes a validation's result in; true when it is the best so far.
  bool validated(double metric);
  bool should_stop() const { return state_.stagnant >= options_.stop_patience; }

  // What it remembers, for checkpoints.
  struct State {
    double best = -1;    // metric; all real ones are higher
    int stagnant = 0;    // validations since the best
    int since_fall = 0;  // validations since the best or the last fall, whichever is later
    double plateau = 1;
  };
  const State& state() const { return state_; }
  void restore(const State& state) { state_ = state; }

 private:
  ScheduleOptions options_;
  State state_;
};

}  // namespace hyperfd
