#include "trial/data/shift/shift_parameters.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "tuner/base/error.h"
#include "tuner/base/names.h"

namespace hyperfd {

ShiftParameters::ShiftParameters(const Json& value, std::string place) : value_(value), place_(std::move(place)) {
  if (!value.is_object()) throw InputError(place_ + ": expected an object with a kind, got " + brief(value));
}

const Json* ShiftParameters::find(const char* key) {
  known_.emplace_back(key);
  const auto entry = value_.find(key);
  return entry == value_.end() ? nullptr : &*entry;
}

void ShiftParameters::fail(const std::string& key, const std::string& expected) const {
  const auto entry = value_.find(key);
  throw InputError(place_ + "." + key + ": expected " + expected + ", " +
                   (entry == value_.end() ? "it is missing" : "got " + brief(*entry)));
}

std::string ShiftParameters::text(const char* key) {
  const Json* value = find(key);
  if (!value || !value->is_string()) fail(key, "a name");
  return value->get<std::string>();
}

double ShiftParameters::number(const char* key, double low, double high) {
  const Json* value = find(key);
  if (!value || !value->is_number() || !(*value >= low) || !(*value <= high))
    fail(key, fmt::format("a number in [{}, {}]", low, high));
  return value->get<double>();
}

double ShiftParameters::number_or(const char* key, double low, double high, double otherwise) {
  return value_.contains(key) ? number(key, low, high) : (known_.emplace_back(key), otherwise);
}

int ShiftParameters::integer(const char* key, int low, int high) {
  const double number = this->number(key, low, high);
  if (number != std::floor(number)) fail(key, fmt::format("an integer in [{}, {}]", low, high));
  return static_cast<int>(number);
}

bool ShiftParameters::flag_or(const char* key, bool otherwise) {
  const Json* value = find(key);
  if (value && !value->is_boolean()) fail(key, "true or false");
  return value ? value->get<bool>() : otherwise;
}

std::string ShiftParameters::choice(const char* key, const std::vector<std::string>& names) {
  const std::string chosen = text(key);
  if (std::find(names.begin(), names.end(), chosen) == names.end())
    throw InputError(place_ + ": " + unknown_name_message(key, chosen, names));
  return chosen;
}

void ShiftParameters::finish() const {
  for (const auto& entry : value_.items()) {
    if (std::find(known_.begin(), known_.end(), entry.key()) == known_.end())
      throw InputError(place_ + ": " + unknown_name_message("key", entry.key(), known_));
  }
}

}  // namespace hyperfd
