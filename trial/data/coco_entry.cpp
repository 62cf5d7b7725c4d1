#include "trial/data/coco_entry.h"

#include <cmath>
#include <limits>

#include "tuner/base/error.h"

namespace hyperfd {

CocoEntry::CocoEntry(const std::string& file, const std::string& list, std::size_t index, const Json& value)
    : place_(file + ": " + list + "[" + std::to_string(index) + "]"), value_(value) {
  if (!value.is_object()) throw InputError(place_ + ": expected an object, got " + brief(value));
}

const Json* CocoEntry::find(const char* key) const {
  const auto entry = value_.find(key);
  return entry == value_.end() || entry->is_null() ? nullptr : &*entry;
}

void CocoEntry::fail(const char* key, const std::string& expected) const {
  const Json* value = find(key);
  throw InputError(place_ + "." + key + ": expected " + expected + ", " +
                   (value                  ? "got " + brief(*value)
                    : value_.contains(key) ? "got null"
                                           : "it is missing"));
}

std::string CocoEntry::id(const char* key) const {
  const Json* value = find(key);
  if (!value || !(value->is_number_integer() || value->is_string())) fail(key, "an integer or a string");
  return value->dump(-1, ' ', false, Json::error_handler_t::replace);
}

int CocoEntry::pixels(const char* key) const {
  const Json* value = find(key);
  if (!value) return 0;
  if (!value->is_number() || !(*value >= 0) || !(*value <= 1e6)) fail(key, "a number of pixels");
  return static_cast<int>(value->get<double>());
}

bool CocoEntry::flag(const char* key) const {
  const Json* value = find(key);
  if (!value) return false;
  if (value->is_boolean()) return value->get<bool>();
  if (!value->is_number() || (*value != 0 && *value != 1)) fail(key, "0 or 1");
  return *value == 1;
}

double CocoEntry::number(const char* key) const {
  const Json* value = find(key);
  if (!value || !value->is_number()) fail(key, "a number");
  return value->get<double>();
}

std::vector<double> CocoEntry::numbers(const char* key, std::size_t count) const {
  const std::string expected = std::to_string(count) + " numbers";
  const Json* value = find(key);
  if (!value || !value->is_array() || value->size() != count) fail(key, expected);
  std::vector<double> numbers;
  for (const Json& number : *value) {
    if (!number.is_number() && !number.is_null()) fail(key, expected);
    numbers.push_back(number.is_null() ? std::numeric_limits<double>::quiet_NaN() : number.get<double>());
  }
  return numbers;
}

const Json& list_in(const Json& root, const char* key, const std::string& file) {
  const auto list = root.find(key);
  if (list == root.end() || !list->is_array()) {
    throw InputError(file + ": " + key + ": expected a list, " +
                     (list == root.end() ? "it is missing" : "got " + brief(*list)));
  }
  return *list;
}

std::string face_category(const Json& root, const std::string& file) {
  if (!root.contains("categories") || root["categories"].is_null()) return "1";
  const Json& categories = list_in(root, "categories", file);
  Json names = Json::array();
  for (std::size_t i = 0; i < categories.size(); ++i) {
    const CocoEntry category(file, "categories", i, categories[i]);
    const Json* name = category.find("name");
    if (categories.size() == 1 || (name && name->is_string() && *name == "face")) return category.id("id");
    names.push_back(name ? *name : Json());
  }
  if (!names.empty()) throw InputError(file + ": categories: expected one named \"face\", got " + brief(names));
  return "1";
}

}  // namespace hyperfd
