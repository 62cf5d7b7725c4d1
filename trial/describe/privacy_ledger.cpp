#include "trial/describe/privacy_ledger.h"

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <utility>

#include "tuner/base/error.h"
#include "tuner/base/json.h"
#include "tuner/wire/dataset_server.h"

namespace hyperfd {

PrivacyLedger::PrivacyLedger(std::string file, double epsilon, double delta)
    : file_(std::move(file)), epsilon_(epsilon), delta_(delta) {
  if (!(epsilon > 0)) throw InputError("epsilon: expected a positive number, got " + std::to_string(epsilon));
  spent();  // checks delta
  if (!std::filesystem::exists(file_)) return;
  std::ifstream stream(file_);
  std::string line;
  for (int number = 1; std::getline(stream, line); ++number) {
    const std::string place = file_ + ": line " + std::to_string(number);
    const Json entry = parse_json(line, place);
    if (!entry.is_object() || !entry.contains("noise_multiplier") || !entry["noise_multiplier"].is_number()) {
      throw InputError(place + ": expected {\"noise_multiplier\": NUMBER}, got " + brief(entry));
    }
    spent_.add_gaussian(entry["noise_multiplier"].get<double>());
  }
  if (!stream.eof()) throw InputError(file_ + ": cannot be read");
}

bool PrivacyLedger::has_room(double noise_multiplier, std::int64_t releases) const {
  PrivacyAccountant after = spent_;
  after.add_gaussian(noise_multiplier, releases);
  return after.epsilon(delta_) <= epsilon_;
}

void PrivacyLedger::spend(double noise_multiplier) {
  if (!has_room(noise_multiplier, 1)) {
    throw wire::OrderRefused("the privacy budget, epsilon " + Json(epsilon_).dump() + ", is spent");
  }
  std::ofstream stream(file_, std::ios::app | std::ios::binary);
  stream << Json{{"noise_multiplier", noise_multiplier}}.dump() << std::endl;  // flushed
  if (!stream) throw Error(file_ + ": cannot be written; nothing is released without its line there");
  spent_.add_gaussian(noise_multiplier);
}

}  // namespace hyperfd
