#include <algorithm>
#include <cmath>
#include <vector>

#include "tuner/space/search_space.h"

namespace hyperfd {
namespace {

void append_number(std::string& text, double number) {
  if (std::isnan(number)) {
    text += "NaN";
  } else if (std::isinf(number)) {
    text += number > 0 ? "Infinity" : "-Infinity";
  } else if (number == std::floor(number) && std::abs(number) < 0x1.0p63) {
    // Integers of any notation look alike, −0 included; 2^63 is the first that the cast cannot hold.
    text += std::to_string(static_cast<std::int64_t>(number));
  } else {
    text += Json(number).dump();
  }
}

void append_text(std::string& text, const std::string& value) {
  const bool is_plain = std::all_of(value.begin(), value.end(), [](char c) {
    return c >= ' ' && c < 0x7f && c != '"' && c != '\\';
  });
  if (is_plain) {
    text.append(1, '"').append(value).append(1, '"');
  } else {
    text += Json(value).dump(-1, ' ', false, Json::error_handler_t::replace);
  }
}

void append(std::string& text, const Configuration& value) {
  if (value.is_object()) {
    std::vector<const Configuration::object_t::value_type*> entries;
    entries.reserve(value.size());
    for (const auto& entry : value.get_ref<const Configuration::object_t&>()) entries.push_back(&entry);
    std::sort(entries.begin(), entries.end(), [](const auto* a, const auto* b) { return a->first < b->first; });
    text += '{';
    for (const auto* entry : entries) {
      if (text.back() != '{') text += ',';
      append_text(text, entry->first);
      text += ':';
      append(text, entry->second);
    }
    text += '}';
  } else if (value.is_array()) {
    text += '[';
    for (std::size_t i = 0; i < value.size(); ++i) {
      if (i > 0) text += ',';
      append(text, value[i]);
    }
    text += ']';
  } else if (value.is_number_float()) {
    append_number(text, value.get<double>());
  } else if (value.is_string()) {
    append_text(text, value.get_ref<const std::string&>());
  } else {
    text += value.dump();
  }
}

}  // namespace

std::string fingerprint(const Configuration& configuration) {
  std::string text;
  append(text, configuration);
  return text;
}

}  // namespace hyperfd
