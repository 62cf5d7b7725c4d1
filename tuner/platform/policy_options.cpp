#include "tuner/platform/policy_options.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <sstream>
#include <utility>

#include "tuner/base/error.h"
#include "tuner/base/names.h"

namespace hyperfd {
namespace {

// All of `text` as a number.
template <typename Number>
Number parse_number(const std::string& key, const std::string& text, Number low, Number high, const char* kind) {
  Number value{};
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failure != std::errc() || end != text.data() + text.size() || !(value >= low && value <= high)) {
    std::ostringstream message;
    message << key << ": expected " << kind << " from " << low << " to " << high << ", got \"" << text << "\"";
    throw InputError(message.str());
  }
  return value;
}

}  // namespace

PolicyOptions PolicyOptions::parse(const std::string& text, std::string* name) {
  std::istringstream parts(text);
  std::getline(parts, *name, ':');
  PolicyOptions options;
  for (std::string part; std::getline(parts, part, ':');) {
    const std::size_t equals = part.find('=');
    if (equals == std::string::npos || equals == 0) {
      throw InputError(*name + ": expected key=value after the colon, got \"" + part + "\"");
    }
    if (!options.values_.emplace(part.substr(0, equals), part.substr(equals + 1)).second) {
      throw InputError(*name + ": " + part.substr(0, equals) + " is given twice");
    }
  }
  return options;
}

double PolicyOptions::number(const std::string& key, double if_absent, double low, double high) {
  const std::string* text = find(key);
  return text ? parse_number(key, *text, low, high, "a number") : if_absent;
}

std::int64_t PolicyOptions::integer(const std::string& key, std::int64_t if_absent, std::int64_t low,
                                    std::int64_t high) {
  const std::string* text = find(key);
  return text ? parse_number(key, *text, low, high, "a whole number") : if_absent;
}

std::string PolicyOptions::word(const std::string& key, const std::string& if_absent,
                                const std::vector<std::string>& allowed) {
  const std::string* text = find(key);
  if (!text) return if_absent;
  if (std::find(allowed.begin(), allowed.end(), *text) == allowed.end()) {
    throw InputError(unknown_name_message(key, *text, allowed));
  }
  return *text;
}

std::map<std::string, std::string> PolicyOptions::take_rest() {
  std::map<std::string, std::string> rest;
  for (const auto& entry : values_) {
    if (known_.insert(entry.first).second) rest.insert(entry);
  }
  return rest;
}

void PolicyOptions::check_all_known() const {
  for (const auto& entry : values_) {
    if (known_.count(entry.first)) continue;
    if (known_.empty()) throw InputError("takes no options, got \"" + entry.first + "\"");
    throw InputError(unknown_name_message("option", entry.first, {known_.begin(), known_.end()}));
  }
}

const std::string* PolicyOptions::find(const std::string& key) {
  known_.insert(key);
  const auto found = values_.find(key);
  return found == values_.end() ? nullptr : &found->second;
}

}  // namespace hyperfd
