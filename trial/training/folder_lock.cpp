#include "trial/training/folder_lock.h"

#include <cerrno>
#include <cstring>
#include <thread>

#include "tuner/base/error.h"
#include "tuner/base/log.h"

namespace hyperfd {

FolderLock::FolderLock(const std::string& folder, std::chrono::milliseconds patience) : lock_(file_in(folder), 0666) {
  using Clock = std::chrono::steady_clock;
  const auto deadline = Clock::now() + patience;
  while (const int reason = lock_.try_lock()) {
    if (reason != EWOULDBLOCK) {
      spdlog::warn("{}: cannot be locked ({}): a second run in this folder would not be noticed", file_in(folder),
                   std::strerror(reason));
      return;
    }
    if (Clock::now() >= deadline) {
      throw InputError(folder + ": another hyperfd-trial writes there (process " + lock_.holder() +
                       "); choose another folder or wait for it");
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
}

}  // namespace hyperfd
