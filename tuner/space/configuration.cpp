#include "tuner/space/configuration.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <string_view>
#include <vector>

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

// What a hash is of, so that "1" and 1 differ.
enum class Kind : std::uint64_t { kInteger = 1, kLargeInteger, kReal, kText, kArray, kObject, kOther };

// SplitMix64's finaliser: every bit of the argument changes half of the bits of the result.
std::uint64_t mixed(std::uint64_t bits) {
  bits += 0x9e3779b97f4a7c15;
  bits = (bits ^ (bits >> 30)) * 0xbf58476d1ce4e5b9;
  bits = (bits ^ (bits >> 27)) * 0x94d049bb133111eb;
  return bits ^ (bits >> 31);
}
std::uint64_t mixed(Kind kind, std::uint64_t bits) {
  return mixed(mixed(static_cast<std::uint64_t>(kind)) ^ bits);
}

std::uint64_t hash_of_text(const std::string& text) {
  return std::hash<std::string_view>()(text);
}

std::uint64_t hash_of_real(double number) {
  if (number == std::floor(number) && std::abs(number) < 0x1.0p63) {
    return mixed(Kind::kInteger, static_cast<std::uint64_t>(static_cast<std::int64_t>(number)));
  }
  if (std::isnan(number)) return mixed(Kind::kOther, 0);
  std::uint64_t bits = 0;
  std::memcpy(&bits, &number, sizeof bits);
  return mixed(Kind::kReal, bits);
}

std::uint64_t hash_of(const Configuration& value) {
  switch (value.type()) {
    case Json::value_t::object: {
      std::uint64_t sum = value.size();  // in any order
      for (const auto& entry : value.get_ref<const Configuration::object_t&>()) {
        sum += mixed(mixed(hash_of_text(entry.first)) ^ hash_of(entry.second));
      }
      return mixed(Kind::kObject, sum);
    }
    case Json::value_t::array: {
      std::uint64_t hash = value.size();
      for (const Configuration& element : value) hash = mixed(hash) ^ hash_of(element);
      return mixed(Kind::kArray, hash);
    }
    case Json::value_t::number_float: return hash_of_real(value.get<double>());
    case Json::value_t::number_integer: return mixed(Kind::kInteger, value.get<std::uint64_t>());
    case Json::value_t::number_unsigned: {
      const auto number = value.get<std::uint64_t>();
      return mixed(number >> 63 ? Kind::kLargeInteger : Kind::kInteger, number);
    }
    case Json::value_t::string: return mixed(Kind::kText, hash_of_text(value.get_ref<const std::string&>()));
    default: return mixed(Kind::kOther, value.is_boolean() ? 1 + value.get<bool>() : 3);
  }
}

}  // namespace

std::string fingerprint(const Configuration& configuration) {
  std::string text;
  append(text, configuration);
  return text;
}

ConfigurationKey configuration_key(const Configuration& configuration) {
  const std::uint64_t hash = hash_of(configuration);
  return hash == 0 ? 1 : hash;
}

ConfigurationKeys::ConfigurationKeys(std::initializer_list<ConfigurationKey> keys) {
  for (const ConfigurationKey key : keys) insert(key);
}

bool ConfigurationKeys::insert(ConfigurationKey key) {
  if (2 * (size_ + 1) > slots_.size()) grow();
  ConfigurationKey& slot = slots_[find(key)];
  if (slot == key) return false;
  slot = key;
  ++size_;
  return true;
}

std::size_t ConfigurationKeys::find(ConfigurationKey key) const {
  const std::size_t mask = slots_.size() - 1;
  std::size_t slot = key & mask;
  while (slots_[slot] != kEmpty && slots_[slot] != key) slot = (slot + 1) & mask;
  return slot;
}

void ConfigurationKeys::grow() {
  constexpr std::size_t kLeast = 16;
  std::vector<ConfigurationKey> old(std::max(kLeast, 2 * slots_.size()), kEmpty);
  old.swap(slots_);
  for (const ConfigurationKey key : old) {
    if (key != kEmpty) slots_[find(key)] = key;
  }
}

}  // namespace hyperfd
