#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include <sys/types.h>

// What can be said of a command's output before its work.
namespace hyperfd::commands {

// Throws what write_file_atomically() would throw for `file`. Leaves nothing behind.
void check_output(const std::string& file);

// The files that a command reads: known by what they are, so that other paths and links lead to the same ones.
class InputFiles {
 public:
  // Names of missing files and "" are no inputs.
  explicit InputFiles(const std::vector<std::string>& files);
  // Throws InputError that names `option` and both files when writing `file` would replace one of the inputs.
  void check_kept(const std::string& option, const std::string& file) const;

 private:
  std::map<std::pair<dev_t, ino_t>, std::string> files_;
};

}  // namespace hyperfd::commands
