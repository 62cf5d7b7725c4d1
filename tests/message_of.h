#pragma once

#include <functional>
#include <string>

#include "tuner/base/error.h"

namespace hyperfd {

// What the InputError says that `action` throws; "no InputError" if it throws none.
inline std::string message_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const InputError& error) {
    return error.what();
  }
  return "no InputError";
}

}  // namespace hyperfd
