#include "tuner/platform/store_lock.h"

#include <cerrno>
#include <cstring>
#include <filesystem>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "tuner/base/error.h"

namespace hyperfd {
namespace {

std::string read_holder(int descriptor) {
  char text[32] = {};
  const ssize_t count = ::pread(descriptor, text, sizeof(text) - 1, 0);
  std::string holder(text, count > 0 ? static_cast<std::size_t>(count) : 0);
  holder.erase(holder.find_last_not_of('\n') + 1);
  return holder.empty() ? "unknown" : holder;
}

}  // namespace

StoreLock::StoreLock(const std::string& store_file) {
  // Of the file itself, whatever links lead to it.
  std::error_code failure;
  const std::filesystem::path real = std::filesystem::weakly_canonical(store_file, failure);
  const std::string file = (failure ? store_file : real.string()) + ".lock";
  descriptor_ = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (descriptor_ < 0) throw StoreError(file + ": cannot be opened: " + std::strerror(errno));
  if (::flock(descriptor_, LOCK_EX | LOCK_NB) != 0) {
    const int reason = errno;
    const std::string holder = read_holder(descriptor_);
    ::close(descriptor_);
    if (reason != EWOULDBLOCK) throw StoreError(file + ": cannot be locked: " + std::strerror(reason));
    throw StoreError(store_file + ": locked by another hyperfd-tuner (process " + holder + ")");
  }
  const std::string holder = std::to_string(::getpid()) + "\n";
  if (::ftruncate(descriptor_, 0) != 0 ||
      ::pwrite(descriptor_, holder.data(), holder.size(), 0) != static_cast<ssize_t>(holder.size())) {
    const int reason = errno;
    ::close(descriptor_);
    throw StoreError(file + ": cannot be written: " + std::strerror(reason));
  }
}

StoreLock::~StoreLock() {
  ::close(descriptor_);
}

}  // namespace hyperfd
