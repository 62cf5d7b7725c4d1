#include "trial/describe/egress_log.h"

#include <chrono>
#include <ctime>
#include <variant>

#include "tuner/base/digest.h"
#include "tuner/base/error.h"
#include "tuner/base/json.h"
#include "tuner/wire/codec.h"

namespace hyperfd {
namespace {

std::string utc_now() {
  const auto now = std::chrono::system_clock::now();
  const std::time_t seconds = std::chrono::system_clock::to_time_t(now);
  const auto milliseconds =
      std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count() % 1000;
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char day[32], text[48];
  std::strftime(day, sizeof(day), "%Y-%m-%dT%H:%M:%S", &parts);
  std::snprintf(text, sizeof(text), "%s.%03dZ", day, static_cast<int>(milliseconds));
  return text;
}

}  // namespace

EgressLog::EgressLog(const std::string& file) : file_(file), stream_(file, std::ios::app | std::ios::binary) {
  if (!stream_) throw InputError(file + ": cannot be written");
}

void EgressLog::add(const std::string& frame) {
  const std::string type =
      std::visit([](const auto& body) -> std::string { return body.kType; }, wire::decode(frame).body);
  const Json line = {{"time", utc_now()}, {"message", type}, {"bytes", frame.size()}, {"sha256", sha256(frame)}};
  stream_ << line.dump() << std::endl;  // flushed
  if (!stream_) throw Error(file_ + ": cannot be written; nothing is sent without its line there");
  bytes_ += static_cast<std::int64_t>(frame.size());
}

}  // namespace hyperfd
