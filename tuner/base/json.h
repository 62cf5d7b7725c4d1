#pragma once

#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

namespace hyperfd {

// JSON whose objects keep their order, as search spaces and configurations do in NNI.
using Json = nlohmann::ordered_json;

// Parses JSON text. Throws InputError that starts with `what` and names line and column.
Json parse_json(std::string_view text, const std::string& what);

// Reads a .json, .yaml or .yml file. YAML scalars get the JSON type that YAML 1.2's core schema (and NNI's loader) gives them:
// null, booleans, numbers, else strings. Throws InputError that names the file (and line).
Json load_json_or_yaml(const std::string& file);

// A short rendering of a value for error messages: compact JSON, cut after 60 characters.
std::string brief(const Json& value);

}  // namespace hyperfd
