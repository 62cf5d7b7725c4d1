#pragma once

namespace hyperfd::wire {

// Wakes a poll loop from another thread or from a signal handler.
class WakePipe {
 public:
  WakePipe();
  WakePipe(const WakePipe&) = delete;
  WakePipe& operator=(const WakePipe&) = delete;
  ~WakePipe();

  int descriptor() const { return ends_[0]; }  // readable after wake()
  void wake() const noexcept;                  // async-signal-safe
  void drain() const noexcept;

 private:
  int ends_[2];
};

}  // namespace hyperfd::wire
