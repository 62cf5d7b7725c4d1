#pragma once

#include <string>
#include <vector>

#include "tuner/base/files.h"
#include "tuner/base/json.h"

namespace hyperfd {

// A part of golden/baselines.json, which golden/baselines.py makes.
inline Json golden(const std::string& part) {
  const std::string file = HYPERFD_SOURCE_DIR "/tests/tuner/baselines/golden/baselines.json";
  return parse_json(read_file(file), file).at(part);
}

using Numbers = std::vector<double>;
using Rows = std::vector<std::vector<double>>;

}  // namespace hyperfd
