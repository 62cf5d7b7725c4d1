#pragma once

#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

namespace hyperfd {

// JSON whose objects keep their order, as search spaces and configurations do in NNI.
using Json = nlohmann::ordered_json;

// Parses JSON text. Throws InputError that starts with `what` and names line and column.
Json parse_json(std::string_view text, const std::string& what);

// Unquoted YAML scalars get the JSON type that YAML 1.2's core schema gives them: null, booleans, numbers, else
// strings. kAsNni: what PyYAML, NNI's loader, reads otherwise (1e-4, on, 010) is an error, so that a file is the same
// space here and there.
enum class YamlScalars { kCore, kAsNni };

// Reads a .json, .yaml or .yml file. Throws InputError that names the file (and line).
Json load_json_or_yaml(const std::string& file, YamlScalars scalars = YamlScalars::kCore);

// A short rendering of a value for error messages: compact JSON, cut after 60 characters.
std::string brief(const Json& value);

}  // namespace hyperfd
