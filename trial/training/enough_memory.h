#pragma once

#include <exception>
#include <string>

#include "tuner/base/error.h"

namespace hyperfd {

// Whether `error` of C++, LibTorch or OpenCV says that memory could not be had, on this machine or a GPU.
bool is_of_memory(const std::exception& error);

// What `work` returns. When it lacks memory an Error that begins with `keys`, which ask for less.
template <typename Work>
auto with_enough_memory(const std::string& keys, const Work& work) {
  try {
    return work();
  } catch (const std::exception& error) {
    if (!is_of_memory(error)) throw;
  }
  throw Error(keys + ": not enough memory; smaller numbers need less");
}

}  // namespace hyperfd
