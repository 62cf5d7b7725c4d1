#include "tuner/base/file_lock.h"

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "tuner/base/error.h"

namespace hyperfd {

FileLock::FileLock(const std::string& file, unsigned permissions)
    : file_(file), descriptor_(::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, permissions)) {
  if (descriptor_ < 0) throw Error(file + ": cannot be opened: " + std::strerror(errno));
}

FileLock::~FileLock() {
  ::close(descriptor_);
}

int FileLock::try_lock() {
  while (::flock(descriptor_, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EINTR) return errno;
  }
  const std::string holder = std::to_string(::getpid()) + "\n";
  if (::ftruncate(descriptor_, 0) != 0 ||
      ::pwrite(descriptor_, holder.data(), holder.size(), 0) != static_cast<ssize_t>(holder.size())) {
    throw Error(file_ + ": cannot be written: " + std::strerror(errno));
  }
  return 0;
}

std::string FileLock::holder() const {
  char text[32] = {};
  const ssize_t count = ::pread(descriptor_, text, sizeof(text) - 1, 0);
  std::string holder(text, count > 0 ? static_cast<std::size_t>(count) : 0);
  holder.erase(holder.find_last_not_of('\n') + 1);
  return holder.empty() ? "unknown" : holder;
}

}  // namespace hyperfd
