#include "trial/commands/output_check.h"

#include <cerrno>
#include <cstring>
#include <filesystem>

#include <sys/stat.h>
#include <unistd.h>

#include "tuner/base/error.h"
#include "tuner/base/files.h"

namespace fs = std::filesystem;

namespace hyperfd::commands {

void check_output(const std::string& file) {
  std::error_code failure;
  if (fs::is_regular_file(file, failure)) {
    const std::string folder = fs::canonical(file).parent_path().string();
    if (::access(folder.c_str(), W_OK) != 0) throw Error(file + ": cannot be written: " + std::strerror(errno));
    return;
  }
  // By trying, since rights alone do not say: nobody may write to /proc.
  std::vector<fs::path> missing;
  for (fs::path folder = fs::absolute(file).lexically_normal().parent_path(); !fs::exists(folder, failure);
       folder = folder.parent_path()) {
    missing.push_back(folder);
  }
  write_file_atomically(file, "");
  fs::remove(fs::canonical(file), failure);  // the target of a link
  for (const fs::path& folder : missing) fs::remove(folder, failure);
}

InputFiles::InputFiles(const std::vector<std::string>& files) {
  for (const std::string& file : files) {
    struct stat status = {};
    if (::stat(file.c_str(), &status) == 0) files_.emplace(std::make_pair(status.st_dev, status.st_ino), file);
  }
}

void InputFiles::check_kept(const std::string& option, const std::string& file) const {
  struct stat status = {};
  if (::stat(file.c_str(), &status) != 0) return;
  const auto input = files_.find({status.st_dev, status.st_ino});
  if (input != files_.end())
    throw InputError(option + ": " + file + " would replace the input " + input->second + "; choose another");
}

}  // namespace hyperfd::commands
