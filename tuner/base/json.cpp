#include "tuner/base/json.h"

#include <cmath>
#include <limits>
#include <regex>

#include <yaml-cpp/yaml.h>

#include "tuner/base/error.h"
#include "tuner/base/files.h"

namespace hyperfd {
namespace {

constexpr int kMaxDepth = 64;

Json scalar_from_yaml(const YAML::Node& node) {
  const std::string& text = node.Scalar();
  if (node.Tag() == "!") return text;  // quoted
  static const std::regex kInteger("[-+]?[0-9]+");
  // YAML 1.2 and JSON write 1e-3; YAML 1.1 loaders would take that for a string, which nobody means.
  static const std::regex kReal(R"([-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?)");
  if (text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL") return nullptr;
  if (text == "true" || text == "True" || text == "TRUE") return true;
  if (text == "false" || text == "False" || text == "FALSE") return false;
  if (text.size() < 19 && std::regex_match(text, kInteger)) return std::stoll(text);
  if (text.size() < 64 && std::regex_match(text, kReal)) {
    try {
      return std::stod(text);
    } catch (const std::out_of_range&) {
      return text;
    }
  }
  return text;
}

Json json_from_yaml(const YAML::Node& node, int depth) {
  if (depth > kMaxDepth) throw InputError("nested deeper than " + std::to_string(kMaxDepth) + " levels");
  if (node.IsMap()) {
    Json object = Json::object();
    for (const auto& entry : node) {
      const std::string key = entry.first.as<std::string>();
      if (object.contains(key)) {
        throw InputError("line " + std::to_string(entry.first.Mark().line + 1) + ": key \"" + key + "\" appears twice");
      }
      object[key] = json_from_yaml(entry.second, depth + 1);
    }
    return object;
  }
  if (node.IsSequence()) {
    Json array = Json::array();
    for (const auto& item : node) array.push_back(json_from_yaml(item, depth + 1));
    return array;
  }
  if (node.IsScalar()) return scalar_from_yaml(node);
  return nullptr;
}

bool ends_with(const std::string& text, std::string_view suffix) {
  return text.size() >= suffix.size() && text.compare(text.size() - suffix.size(), suffix.size(), suffix) == 0;
}

// nlohmann's parser recurses for nested values, so hostile depth is refused before it starts.
void check_depth(std::string_view text, const std::string& what) {
  int depth = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      else if (c == '"') in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '[' || c == '{') {
      if (++depth > kMaxDepth) throw InputError(what + ": nested deeper than " + std::to_string(kMaxDepth) + " levels");
    } else if (c == ']' || c == '}') {
      --depth;
    }
  }
}

}  // namespace

Json parse_json(std::string_view text, const std::string& what) {
  check_depth(text, what);
  try {
    return Json::parse(text);
  } catch (const Json::exception& error) {
    std::string message = error.what();  // "[json.exception.parse_error.101] parse error at line 1, column 2: …"
    const auto end_of_tag = message.find("] ");
    if (end_of_tag != std::string::npos) message.erase(0, end_of_tag + 2);
    throw InputError(what + ": " + message);
  }
}

Json load_json_or_yaml(const std::string& file) {
  const std::string text = read_file(file);
  if (ends_with(file, ".json")) return parse_json(text, file);
  try {
    return json_from_yaml(YAML::Load(text), 0);
  } catch (const YAML::Exception& error) {
    throw InputError(file + ": line " + std::to_string(error.mark.line + 1) + ": " + error.msg);
  } catch (const InputError& error) {
    throw InputError(file + ": " + error.what());
  }
}

std::string brief(const Json& value) {
  std::string text = value.dump(-1, ' ', false, Json::error_handler_t::replace);
  if (text.size() > 60) text = text.substr(0, 57) + "...";
  return text;
}

}  // namespace hyperfd
