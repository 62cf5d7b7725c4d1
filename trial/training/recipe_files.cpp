#include "trial/training/recipe_files.h"

#include <algorithm>
#include <filesystem>

#include "tuner/base/error.h"
#include "tuner/base/names.h"

namespace fs = std::filesystem;

namespace hyperfd {

std::string recipe_folder() {
  const fs::path executables = fs::read_symlink("/proc/self/exe").parent_path();
  const fs::path installed = executables.parent_path() / "share/hyperfd/recipes";
  if (fs::is_directory(installed)) return installed.string();
  // <source>/build/<preset>/bin/<executable>
  const fs::path source = executables.parent_path().parent_path().parent_path() / "trial/training/recipes";
  if (fs::is_directory(source)) return source.string();
  throw Error(installed.string() + ": does not exist; the recipes that belong to this program are not installed");
}

std::vector<std::string> recipe_names() {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(recipe_folder())) {
    if (entry.path().extension() == ".yaml") names.push_back(entry.path().stem().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::string find_recipe(const std::string& name_or_file, const std::string& folder) {
  const fs::path given(name_or_file);
  if (given.has_extension() || given.has_parent_path()) {
    const fs::path file = given.is_absolute() ? given : fs::path(folder) / given;
    if (!fs::is_regular_file(file)) throw InputError(file.string() + ": recipe does not exist");
    return file.string();
  }
  const fs::path file = fs::path(recipe_folder()) / (name_or_file + ".yaml");
  if (!fs::is_regular_file(file)) throw InputError(unknown_name_message("recipe", name_or_file, recipe_names()));
  return file.string();
}

}  // namespace hyperfd
