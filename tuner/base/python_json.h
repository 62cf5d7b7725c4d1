#pragma once

#include <string>

namespace hyperfd {

// Python's json module writes NaN and Infinity, which JSON does not have: they become null.
std::string without_nan(std::string text);

}  // namespace hyperfd
