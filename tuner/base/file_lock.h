#pragma once

#include <string>

namespace hyperfd {

// An exclusive lock on a file, for one process at a time. The kernel releases it when the process dies, so a lock file
// that is left behind means nothing.
class FileLock {
 public:
  // Makes the file where there is none, with these permissions. Throws Error that names it when that fails.
  FileLock(const std::string& file, unsigned permissions);
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;
  ~FileLock();

  // 0: the lock is ours, and the file holds our process id. EWOULDBLOCK: another process has it. Any other errno: it
  // cannot be locked.
  int try_lock();
  // The process that has the lock, or had it last.
  std::string holder() const;

 private:
  std::string file_;
  int descriptor_;
};

}  // namespace hyperfd
