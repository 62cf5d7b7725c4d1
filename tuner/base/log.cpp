#include "tuner/base/log.h"

#include <algorithm>

#include <spdlog/sinks/stdout_color_sinks.h>

#include "tuner/base/error.h"
#include "tuner/base/names.h"

namespace hyperfd {

void set_up_log(const std::string& level) {
  const std::vector<std::string> known = {"error", "warn", "info", "debug"};
  if (std::find(known.begin(), known.end(), level) == known.end()) {
    throw InputError(unknown_name_message("log level", level, known));
  }
  auto logger = std::make_shared<spdlog::logger>("hyperfd", std::make_shared<spdlog::sinks::stderr_color_sink_mt>());
  logger->set_pattern("%Y-%m-%d %H:%M:%S.%e %^%l%$ %v");
  logger->set_level(spdlog::level::from_str(level));
  logger->flush_on(spdlog::level::info);
  spdlog::set_default_logger(logger);
}

}  // namespace hyperfd
