#pragma once

#include <chrono>
#include <string>

#include "trial/report/trial_channel.h"

namespace hyperfd {

// Reads `directory`/parameter.cfg, where NNI 2.10 and cluster services put a trial's configuration. Waits up to
// `patience` for it to be there and whole, since shared file systems show it late. Throws ProtocolError that names it.
Assignment read_parameter_file(const std::string& directory, std::chrono::milliseconds patience);

}  // namespace hyperfd
