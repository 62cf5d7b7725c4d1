#pragma once

#include <chrono>
#include <string>

#include "tuner/base/file_lock.h"

namespace hyperfd {

// The right to write to a folder, held by one process at a time through a lock on `.lock` there.
class FolderLock {
 public:
  // Waits up to `patience` for another process to end. Throws InputError that names the folder and that process when it
  // does not, Error when the lock file cannot be written. Where the file system knows no locks there is a warning.
  FolderLock(const std::string& folder, std::chrono::milliseconds patience);

  static std::string file_in(const std::string& folder) { return folder + "/.lock"; }

 private:
  FileLock lock_;
};

}  // namespace hyperfd
