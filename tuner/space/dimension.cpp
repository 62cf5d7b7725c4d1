#include "tuner/space/dimension.h"

#include <cmath>
#include <cstdlib>
#include <map>

#include "tuner/base/names.h"
#include "tuner/space/choice.h"
#include "tuner/space/randint.h"
#include "tuner/space/real.h"

namespace hyperfd {
namespace {

using Factory = std::unique_ptr<Dimension> (*)(const DimensionSource&);

const std::map<std::string, Factory>& factories() {
  static const std::map<std::string, Factory> table = {
      {"choice", make_choice},     {"randint", make_randint},    {"uniform", make_uniform},
      {"quniform", make_uniform},  {"loguniform", make_uniform}, {"qloguniform", make_uniform},
      {"normal", make_normal},     {"qnormal", make_normal},     {"lognormal", make_normal},
      {"qlognormal", make_normal},
  };
  return table;
}

const Json& required(const Json& definition, const char* key, const Path& path) {
  const auto found = definition.find(key);
  if (found == definition.end()) path.fail(std::string("missing \"") + key + "\" in " + brief(definition));
  return *found;
}

}  // namespace

std::size_t Dimension::mutable_parts(const Json&) const {
  return size() == Count(1) ? 0 : 1;
}

void Dimension::describe_encoding(std::ptrdiff_t mask, EncodingColumns& columns) const {
  add_feature(columns, encoding_size(), mask);
}

Json Dimension::sample_other(const Json& value, Rng& rng) const {
  constexpr int kAttempts = 100;
  Json drawn = sample(rng);
  for (int i = 0; i < kAttempts && drawn == value; ++i) drawn = sample(rng);
  return drawn;
}

void count_option(std::size_t& options_left, const Path& path) {
  if (options_left == 0) path.fail("the search space has too many keys and choices");
  --options_left;
}

std::unique_ptr<Dimension> parse_dimension(const Json& definition, const Path& path, std::size_t& options_left) {
  if (!definition.is_object()) {
    path.fail("expected an object with \"_type\" and \"_value\", got " + brief(definition));
  }
  const Json& type = required(definition, "_type", path);
  const Path type_path(path, "_type");
  if (!type.is_string()) type_path.fail("expected a string, got " + brief(type));
  const std::string name = type.get<std::string>();
  const auto factory = factories().find(name);
  if (factory == factories().end()) {
    std::vector<std::string> known;
    for (const auto& entry : factories()) known.push_back(entry.first);
    type_path.fail(unknown_name_message("type", name, known));
  }
  const Json& value = required(definition, "_value", path);
  const Path value_path(path, "_value");
  if (!value.is_array()) value_path.fail("expected a list, got " + brief(value));
  return factory->second({name, value, value_path, options_left});
}

double parse_number(const Json& value, const Path& path) {
  double number = std::nan("");
  if (value.is_number()) {
    number = value.get<double>();
  } else if (value.is_string()) {
    const std::string text = value.get<std::string>();
    char* end = nullptr;
    const double parsed = std::strtod(text.c_str(), &end);
    if (!text.empty() && end == text.c_str() + text.size()) number = parsed;
  }
  if (!std::isfinite(number)) path.fail("expected a number, got " + brief(value));
  return number;
}

std::vector<double> parse_numbers(const DimensionSource& source, const std::vector<std::string>& names) {
  if (source.value.size() != names.size()) {
    std::string list;
    for (const std::string& name : names) list += (list.empty() ? "" : ", ") + name;
    source.path.fail("expected [" + list + "] for " + source.type + ", got " + brief(source.value));
  }
  std::vector<double> numbers;
  for (const Json& element : source.value) {
    numbers.push_back(parse_number(element, Path(source.path, numbers.size())));
  }
  return numbers;
}

}  // namespace hyperfd
