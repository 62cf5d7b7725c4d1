#include "tuner/platform/store_lock.h"

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "tuner/base/error.h"

namespace hyperfd {

StoreLock::StoreLock(const std::string& store_file) {
  // Of the file itself, whatever links lead to it.
  std::error_code failure;
  const std::filesystem::path real = std::filesystem::weakly_canonical(store_file, failure);
  const std::string file = (failure ? store_file : real.string()) + ".lock";
  int reason = 0;
  try {
    lock_.emplace(file, 0600);
    reason = lock_->try_lock();
  } catch (const Error& error) {
    throw StoreError(error.what());
  }
  if (reason == EWOULDBLOCK)
    throw StoreError(store_file + ": locked by another hyperfd-tuner (process " + lock_->holder() + ")");
  if (reason != 0) throw StoreError(file + ": cannot be locked: " + std::strerror(reason));
}

}  // namespace hyperfd
