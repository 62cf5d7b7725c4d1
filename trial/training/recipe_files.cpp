#include "trial/training/recipe_files.h"

#include <algorithm>
#include <filesystem>

#include "tuner/base/error.h"
#include "tuner/base/names.h"

namespace fs = std::filesystem;

namespace hyperfd {

namespace {

// The folder that an installation has as share/hyperfd/<name> and the source tree as `source`.
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

}  // namespace

std::string recipe_folder() {
  return shipped_folder("recipes", "trial/training/recipes");
}

std::vector<std::string> recipe_names() {
  return names_in(recipe_folder(), ".yaml");
}

std::string find_model(const std::string& name_or_file) {
  const fs::path given(name_or_file);
  std::error_code error;
  if (fs::is_regular_file(given, error)) return name_or_file;
  const std::string folder = shipped_folder("models", "models");
  const fs::path file = fs::path(folder) / (name_or_file + ".pt");
  if (given.has_parent_path() || !fs::is_regular_file(file, error))
    throw InputError("weights: no such file; " + unknown_name_message("name", name_or_file, names_in(folder, ".pt")));
  return file.string();
}

std::string find_script(const std::string& name) {
  return shipped_folder("scripts", "scripts") + "/" + name;
}

std::string find_recipe(const std::string& name_or_file, const std::string& folder) {
  const fs::path given(name_or_file);
  std::error_code error;
  if (given.has_extension() || given.has_parent_path()) {
    const fs::path file = (given.is_absolute() ? given : fs::path(folder) / given).lexically_normal();
    if (!fs::is_regular_file(file, error)) throw InputError(file.string() + ": recipe does not exist");
    return file.string();
  }
  const fs::path file = fs::path(recipe_folder()) / (name_or_file + ".yaml");
  if (!fs::is_regular_file(file, error)) throw InputError(unknown_name_message("recipe", name_or_file, recipe_names()));
  return file.string();
}

}  // namespace hyperfd
