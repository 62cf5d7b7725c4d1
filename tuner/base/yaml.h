#pragma once

#include <cstddef>
#include <string>

#include "tuner/base/json.h"

namespace hyperfd {

// Of JSON and YAML text alike: levels, and keys of one object, which is searched from its beginning.
inline constexpr int kMaxDepth = 64;
inline constexpr std::size_t kMaxKeys = 20'000;

// Parses YAML text of one document, without merge keys or tags other than !!str. Throws InputError that starts with
// `what` and names the line.
Json parse_yaml(const std::string& text, const std::string& what, YamlScalars scalars = YamlScalars::kCore);

}  // namespace hyperfd
