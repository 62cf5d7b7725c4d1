#include "tuner/base/shipped.h"

#include <algorithm>
#include <filesystem>

#include "tuner/base/error.h"
#include "tuner/base/names.h"

namespace fs = std::filesystem;

namespace hyperfd {

std::string shipped_folder(const std::string& name, const std::string& source) {
  const fs::path executables = fs::read_symlink("/proc/self/exe").parent_path();
  const fs::path installed = executables.parent_path() / "share/hyperfd" / name;
  if (fs::is_directory(installed)) return installed.string();
  // <source>/build/<preset>/bin/<executable>
  const fs::path tree = executables.parent_path().parent_path().parent_path() / source;
  if (fs::is_directory(tree)) return tree.string();
  throw Error(installed.string() + ": does not exist; the " + name + " that belong to this program are not installed");
}

std::vector<std::string> names_in(const std::string& folder, const std::string& ending) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() == ending) names.push_back(entry.path().stem().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::string find_shipped_model(const std::string& name_or_file, const std::string& ending, const std::string& what) {
  const fs::path given(name_or_file);
  std::error_code error;
  if (fs::is_regular_file(given, error)) return name_or_file;
  const std::string folder = shipped_folder("models", "models");
  const fs::path file = fs::path(folder) / (name_or_file + ending);
  if (given.has_parent_path() || !fs::is_regular_file(file, error))
    throw InputError(what + ": no such file; " + unknown_name_message("name", name_or_file, names_in(folder, ending)));
  return file.string();
}

}  // namespace hyperfd
