#pragma once

#include <string>
#include <vector>

namespace hyperfd {

// A folder of files that come with the programs: ../share/hyperfd/<name> beside the executable's folder, or `source` of
// the source tree that the executable was built in. Throws Error when neither exists.
std::string shipped_folder(const std::string& name, const std::string& source);

// The file of a model that comes with the programs, by its name, or any file by its path; `ending` is that of shipped
// ones (".pt"). Throws InputError that begins with `what` and lists the names.
std::string find_shipped_model(const std::string& name_or_file, const std::string& ending, const std::string& what);

// Names of the files of a folder with this ending, without it, sorted.
std::vector<std::string> names_in(const std::string& folder, const std::string& ending);

}  // namespace hyperfd
