#pragma once

#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>

namespace hyperfd {

// A folder of the running test, removed at its end. Short, because a socket's path may be no longer than 107 bytes.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    char name[] = "/tmp/hyperfd-XXXXXX";
    if (!::mkdtemp(name)) throw std::runtime_error("no temporary folder");
    path_ = name;
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }

  std::string file(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

}  // namespace hyperfd
