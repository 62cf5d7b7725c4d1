#include <algorithm>
#include <cmath>
#include <vector>

#include "tuner/space/search_space.h"

namespace hyperfd {
namespace {

std::string number_fingerprint(double number) {
  if (std::isnan(number)) return "NaN";
  if (std::isinf(number)) return number > 0 ? "Infinity" : "-Infinity";
  // Integers of any notation look alike, −0 included; 2^63 is the first that the cast cannot hold.
  if (number == std::floor(number) && std::abs(number) < 0x1.0p63) {
    return std::to_string(static_cast<std::int64_t>(number));
  }
  return Json(number).dump();
}

std::string text_fingerprint(const std::string& text) {
  return Json(text).dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

std::string fingerprint(const Configuration& configuration) {
  if (configuration.is_object()) {
    std::vector<std::string> entries;
    for (const auto& entry : configuration.items()) {
      entries.push_back(text_fingerprint(entry.key()) + ":" + fingerprint(entry.value()));
    }
    std::sort(entries.begin(), entries.end());
    std::string text = "{";
    for (const std::string& entry : entries) text += (text.size() > 1 ? "," : "") + entry;
    return text + "}";
  }
  if (configuration.is_array()) {
    std::string text = "[";
    for (const Json& element : configuration) text += (text.size() > 1 ? "," : "") + fingerprint(element);
    return text + "]";
  }
  if (configuration.is_number_float()) return number_fingerprint(configuration.get<double>());
  if (configuration.is_string()) return text_fingerprint(configuration.get_ref<const std::string&>());
  return configuration.dump();
}

}  // namespace hyperfd
