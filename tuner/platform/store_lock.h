#pragma once

#include <string>

namespace hyperfd {

// The right to write to a store file, held by one process at a time through an exclusive lock on `STORE.lock`.
// The kernel releases it when the process dies, so a lock file left behind means nothing.
class StoreLock {
 public:
  // Throws StoreError that names the file and the holder's process id when another process holds it.
  explicit StoreLock(const std::string& store_file);
  StoreLock(const StoreLock&) = delete;
  StoreLock& operator=(const StoreLock&) = delete;
  ~StoreLock();

 private:
  int descriptor_;
};

}  // namespace hyperfd
