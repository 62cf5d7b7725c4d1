#include "tuner/space/space_keys.h"

#include <algorithm>
#include <limits>

#include "tuner/base/error.h"
#include "tuner/base/names.h"
#include "tuner/space/dimension.h"

namespace hyperfd {
namespace {

constexpr std::uint64_t kMaxListed = 5000;

bool is_nested(const Json& definition) {
  if (definition["_type"] != "choice" || definition["_value"].empty()) return false;
  const Json& first = definition["_value"][0];
  return first.is_object() && first.contains("_name");
}

}  // namespace

const Json* SpaceKey::find(const Configuration& configuration) const {
  const Json* value = &configuration;
  for (const std::string& step : steps_) {
    if (!value->is_object()) return nullptr;
    const auto found = value->find(step);
    if (found == value->end()) return nullptr;
    value = &*found;
  }
  return value;
}

bool SpaceKey::may_be(const Json& value) const {
  if (value.is_string() && std::count(branches_.begin(), branches_.end(), value.get_ref<const std::string&>())) {
    return true;
  }
  return std::any_of(dimensions_.begin(), dimensions_.end(), [&](const auto& dimension) {
    try {
      dimension->check(value, Path(text_));
      return true;
    } catch (const InputError&) {
      return false;
    }
  });
}

std::optional<std::vector<Json>> SpaceKey::values() const {
  std::vector<Json> values(branches_.begin(), branches_.end());
  for (const auto& dimension : dimensions_) {
    const Count size = dimension->size();
    if (!size || *size > kMaxListed) return std::nullopt;
    for (std::uint64_t i = 0; i < *size; ++i) values.push_back(dimension->at(i));
  }
  return values;
}

bool SpaceKey::is_numeric() const {
  if (!branches_.empty()) return false;
  if (const auto listed = values()) {
    return std::all_of(listed->begin(), listed->end(), [](const Json& value) { return value.is_number(); });
  }
  Rng rng(0);  // what has too many values to list is of a numeric type, or a long list, which one draw tells
  return std::all_of(dimensions_.begin(), dimensions_.end(),
                     [&](const auto& dimension) { return dimension->sample(rng).is_number(); });
}

std::optional<std::pair<double, double>> SpaceKey::range() const {
  if (!is_numeric()) return std::nullopt;
  double low = std::numeric_limits<double>::infinity(), high = -low;
  const auto widen = [&](const Json& value) {
    low = std::min(low, value.get<double>());
    high = std::max(high, value.get<double>());
  };
  for (const auto& dimension : dimensions_) {
    const Count size = dimension->size();
    if (!size) return std::nullopt;
    if (*size <= kMaxListed) {
      for (std::uint64_t i = 0; i < *size; ++i) widen(dimension->at(i));
    } else {
      widen(dimension->at(0));  // only types whose values ascend have so many
      widen(dimension->at(*size - 1));
    }
  }
  return std::pair{low, high};
}

SpaceKeys::SpaceKeys(const SearchSpace& space) {
  add_group(space.definition(), {});
}

SpaceKey& SpaceKeys::entry(std::vector<std::string> steps, const std::string& key) {
  steps.push_back(key);
  std::string text;
  for (const std::string& step : steps) text += (text.empty() ? "" : ".") + step;
  std::shared_ptr<SpaceKey>& found = keys_[text];
  if (!found) {
    found = std::make_shared<SpaceKey>();
    found->text_ = text;
    found->steps_ = std::move(steps);
  } else if (found->steps_ != steps) {
    found->is_ambiguous_ = true;
  }
  return *found;
}

void SpaceKeys::add_group(const Json& definition, const std::vector<std::string>& steps) {
  for (const auto& [key, value] : definition.items()) {
    if (key == "_name") continue;
    if (!is_nested(value)) {
      std::size_t options_left = std::numeric_limits<std::size_t>::max();
      const Path path(key);
      entry(steps, key).dimensions_.push_back(parse_dimension(value, path, options_left));
      continue;
    }
    std::vector<std::string> below = steps;
    below.push_back(key);
    for (const Json& branch : value["_value"]) {
      entry(below, "_name").branches_.push_back(branch["_name"].get<std::string>());
      add_group(branch, below);
    }
  }
}

std::shared_ptr<const SpaceKey> SpaceKeys::find(const std::string& text, const Path& path) const {
  const auto found = keys_.find(text);
  if (found != keys_.end() && found->second->is_ambiguous_) {
    path.fail("\"" + text + "\" is both a parameter with a dot in its name and a nested one; rename the former");
  }
  if (found != keys_.end()) return found->second;
  std::vector<std::string> known;
  for (const auto& key : keys_) known.push_back(key.first);
  path.fail(unknown_name_message("key of the search space", text, known));
}

}  // namespace hyperfd
