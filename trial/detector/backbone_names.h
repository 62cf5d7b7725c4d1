#pragma once

#include <string>
#include <vector>

namespace hyperfd {

// The names that make_backbone() knows.
std::vector<std::string> backbone_names();

}  // namespace hyperfd
