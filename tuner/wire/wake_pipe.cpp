#include "tuner/wire/wake_pipe.h"

#include <cerrno>
#include <cstring>
#include <string>

#include <fcntl.h>
#include <unistd.h>

#include "tuner/base/error.h"

namespace hyperfd::wire {

WakePipe::WakePipe() {
  if (::pipe2(ends_, O_CLOEXEC | O_NONBLOCK) != 0) throw Error(std::string("no pipe: ") + std::strerror(errno));
}

WakePipe::~WakePipe() {
  ::close(ends_[0]);
  ::close(ends_[1]);
}

void WakePipe::wake() const noexcept {
  const int kept = errno;
  // A full pipe is as good: the loop wakes all the same.
  [[maybe_unused]] const ssize_t written = ::write(ends_[1], "w", 1);
  errno = kept;
}

void WakePipe::drain() const noexcept {
  char bytes[64];
  while (::read(ends_[0], bytes, sizeof(bytes)) > 0) {
  }
}

}  // namespace hyperfd::wire
