#include "tuner/space/template_value.h"

#include <algorithm>
#include <cmath>

#include "tuner/base/error.h"
#include "tuner/base/names.h"
#include "tuner/space/dimension.h"

namespace hyperfd {
namespace {

void replace(std::string& text, const std::string& placeholder, const std::string& value) {
  for (std::size_t at = 0; (at = text.find(placeholder, at)) != std::string::npos; at += value.size()) {
    text.replace(at, placeholder.size(), value);
  }
}

std::string fill_in(std::string text, const Reference::Scope& scope) {
  replace(text, "{stage}", scope.stage);
  if (scope.block > 0) replace(text, "{block}", std::to_string(scope.block));
  return text;
}

}  // namespace

Reference::Reference(const Json& definition, const Scope& scope, const Path& path) {
  check_keys(definition, {"key", "values"}, path);
  const Path key_path(path, "key");
  if (!definition.contains("key") || !definition["key"].is_string()) {
    key_path.fail("expected a key of the search space");
  }
  key_ = scope.keys.find(fill_in(definition["key"].get<std::string>(), scope), key_path);
  if (!definition.contains("values")) return;

  const Path values_path(path, "values");
  const Json& values = definition["values"];
  if (!values.is_object()) values_path.fail("expected an object by the key's values, got " + brief(values));
  for (const auto& [name, value] : values.items()) table_.emplace(name, value);
  const auto listed = key_->values();
  if (!listed) values_path.fail("\"" + key_->text() + "\" has too many values for a table");
  // More than the key's values may be there: stages can share a table.
  for (const Json& value : *listed) {
    if (!table_.count(value_text(value))) {
      values_path.fail("nothing for " + brief(value) + " of \"" + key_->text() + "\"");
    }
  }
}

std::optional<std::vector<Json>> Reference::values() const {
  if (table_.empty()) return key_->values();
  std::vector<Json> values;
  for (const auto& entry : table_) values.push_back(entry.second);
  return values;
}

std::optional<std::pair<double, double>> Reference::range() const {
  if (table_.empty()) return key_->range();
  double low = HUGE_VAL, high = -HUGE_VAL;
  for (const auto& entry : table_) {
    if (!entry.second.is_number()) return std::nullopt;
    low = std::min(low, entry.second.get<double>());
    high = std::max(high, entry.second.get<double>());
  }
  return std::pair{low, high};
}

const Json& Reference::value(const Configuration& configuration) const {
  const Json* value = key_->find(configuration);
  if (!value) throw InputError("\"" + key_->text() + "\" is not active in " + brief(configuration));
  return *value;
}

const Json& Reference::read(const Configuration& configuration) const {
  const Json& value = this->value(configuration);
  if (table_.empty()) return value;
  const auto entry = table_.find(value_text(value));
  if (entry == table_.end()) throw InputError("\"" + key_->text() + "\": nothing for " + brief(value));
  return entry->second;
}

TemplateNumber::TemplateNumber(const Json& definition, const Reference::Scope& scope, const Path& path, Bounds bounds) {
  const std::string expected =
      "a whole number from " + std::to_string(bounds.low) + " to " + std::to_string(bounds.high);
  const auto require = [&](double number, const std::string& got) {
    if (number == std::floor(number) && number >= bounds.low && number <= bounds.high) return;
    path.fail("expected " + expected + ", got " + got);
  };
  if (!definition.is_object()) {
    const double number = parse_number(definition, path);
    require(number, brief(definition));
    value_ = largest_ = static_cast<int>(number);
    return;
  }
  reference_ = std::make_shared<Reference>(definition, scope, path);
  const std::string key = "\"" + reference_->key().text() + "\"";
  const auto range = reference_->range();
  if (!range) path.fail("expected " + expected + "; " + key + " may be something else");
  require(std::ceil(range->first), key + " with values from " + brief(range->first));
  require(std::floor(range->second), key + " with values up to " + brief(range->second));
  if (const auto values = reference_->values()) {
    for (const Json& value : *values) require(value.get<double>(), brief(value) + " of " + key);
  }
  largest_ = static_cast<int>(range->second);
}

int TemplateNumber::read(const Configuration& configuration) const {
  if (!reference_) return value_;
  const double number = reference_->read(configuration).get<double>();
  if (number != std::floor(number)) {
    throw InputError("\"" + reference_->key().text() + "\": expected a whole number, got " + brief(number));
  }
  return static_cast<int>(number);
}

ImageSize parse_image_size(const Json& definition, const Path& path) {
  constexpr double kLargest = 8192;
  ImageSize size;
  if (!definition.is_array() || definition.size() != 2) path.fail("expected [width, height], got " + brief(definition));
  for (const auto& [index, target] : {std::pair{0, &size.width}, std::pair{1, &size.height}}) {
    const Path side(path, static_cast<std::size_t>(index));
    const double pixels = parse_number(definition[static_cast<std::size_t>(index)], side);
    if (pixels != std::floor(pixels) || pixels < 1 || pixels > kLargest) side.fail("expected pixels from 1 to 8192");
    *target = static_cast<int>(pixels);
  }
  return size;
}

std::string value_text(const Json& value) {
  return value.is_string() ? value.get<std::string>() : fingerprint(value);
}

void check_keys(const Json& object, const std::vector<std::string>& known, const Path& path) {
  if (!object.is_object()) path.fail("expected an object, got " + brief(object));
  for (const auto& entry : object.items()) {
    if (std::find(known.begin(), known.end(), entry.key()) == known.end()) {
      path.fail(unknown_name_message("key", entry.key(), known));
    }
  }
}

}  // namespace hyperfd
