#include "trial/data/json_entry.h"

#include <limits>

#include "tuner/base/error.h"

namespace hyperfd {

JsonEntry::JsonEntry(const std::string& file, const char* list, std::size_t index, const Json& value)
    : place_(file + ": " + list + "[" + std::to_string(index) + "]"), value_(value) {
  if (!value.is_object()) throw InputError(place_ + ": expected an object, got " + brief(value));
}

const Json* JsonEntry::find(const char* key) const {
  const auto entry = value_.find(key);
  return entry == value_.end() || entry->is_null() ? nullptr : &*entry;
}

void JsonEntry::fail(const char* key, const std::string& expected) const {
  const Json* value = find(key);
  throw InputError(place_ + "." + key + ": expected " + expected + ", " +
                   (value ? "got " + brief(*value) : "it is missing"));
}

std::string JsonEntry::id(const char* key) const {
  const Json* value = find(key);
  if (!value || !(value->is_number_integer() || value->is_string())) fail(key, "an integer or a string");
  return value->dump(-1, ' ', false, Json::error_handler_t::replace);
}

int JsonEntry::pixels(const char* key) const {
  const Json* value = find(key);
  if (!value) return 0;
  if (!value->is_number() || !(*value >= 0) || !(*value <= 1e6)) fail(key, "a number of pixels");
  return static_cast<int>(value->get<double>());
}

bool JsonEntry::flag(const char* key) const {
  const Json* value = find(key);
  if (!value) return false;
  if (value->is_boolean()) return value->get<bool>();
  if (!value->is_number() || (*value != 0 && *value != 1)) fail(key, "0 or 1");
  return *value == 1;
}

std::vector<float> JsonEntry::numbers(const char* key, std::size_t count) const {
  const std::string expected = std::to_string(count) + " numbers";
  const Json* value = find(key);
  if (!value || !value->is_array() || value->size() != count) fail(key, expected);
  std::vector<float> numbers;
  for (const Json& number : *value) {
    if (!number.is_number() && !number.is_null()) fail(key, expected);
    numbers.push_back(number.is_null() ? std::numeric_limits<float>::quiet_NaN() : number.get<float>());
  }
  return numbers;
}

}  // namespace hyperfd
