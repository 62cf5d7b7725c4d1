#pragma once

namespace hyperfd {

// One thread while it lives, and for OpenBLAS from then on: sums then have one order, and problems this small gain
// nothing from more.
class SingleThread {
 public:
  SingleThread();
  ~SingleThread();
  SingleThread(const SingleThread&) = delete;
  SingleThread& operator=(const SingleThread&) = delete;

 private:
  int before_;
};

}  // namespace hyperfd
