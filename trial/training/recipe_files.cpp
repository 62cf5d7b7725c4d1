#include "trial/training/recipe_files.h"

#include <filesystem>

#include "tuner/base/error.h"
#include "tuner/base/names.h"
#include "tuner/base/shipped.h"

namespace fs = std::filesystem;

namespace hyperfd {

std::string recipe_folder() {
  return shipped_folder("recipes", "trial/training/recipes");
}

std::vector<std::string> recipe_names() {
  return names_in(recipe_folder(), ".yaml");
}

std::string find_model(const std::string& name_or_file) {
  return find_shipped_model(name_or_file, ".pt", "weights");
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
