#pragma once

#include <string>
#include <vector>

namespace hyperfd {

// The folder with the recipes that come with the program: ../share/hyperfd/recipes beside the executable's folder, or
// trial/training/recipes of the source tree that the executable was built in. Throws Error when neither exists.
std::string recipe_folder();

// Names of the recipes there, sorted.
std::vector<std::string> recipe_names();

// The file of a recipe: a path ("my.yaml", "recipes/my.yaml"; relative ones to `folder`) or a name of recipe_names().
// Throws InputError that lists the names.
std::string find_recipe(const std::string& name_or_file, const std::string& folder);

// The file of weights: a path, or the name of weights that come with the program (../share/hyperfd/models/NAME.pt, or
// models/ of the source tree). Throws InputError that lists the names.
std::string find_model(const std::string& name_or_file);

// A script that comes with the program (../share/hyperfd/scripts/NAME, or scripts/ of the source tree).
std::string find_script(const std::string& name);

}  // namespace hyperfd
