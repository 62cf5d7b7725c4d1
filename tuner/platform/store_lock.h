#pragma once

#include <optional>
#include <string>

#include "tuner/base/file_lock.h"

namespace hyperfd {

// The right to write to a store file, held by one process at a time through a lock on `STORE.lock`.
class StoreLock {
 public:
  // Throws StoreError that names the file and the holder's process id when another process holds it.
  explicit StoreLock(const std::string& store_file);

 private:
  std::optional<FileLock> lock_;
};

}  // namespace hyperfd
