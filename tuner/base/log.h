#pragma once

#include <string>

#include <spdlog/spdlog.h>

namespace hyperfd {

// Sends the log to stderr with time and level. `level`: error, warn, info, debug. Throws InputError for another word.
void set_up_log(const std::string& level);

}  // namespace hyperfd
