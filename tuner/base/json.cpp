#include "tuner/base/json.h"

#include <cmath>
#include <limits>
#include <regex>
#include <set>
#include <vector>

#include <yaml-cpp/depthguard.h>
#include <yaml-cpp/yaml.h>

#include "tuner/base/error.h"
#include "tuner/base/files.h"

namespace hyperfd {
namespace {

constexpr int kMaxDepth = 64;
constexpr std::size_t kMaxYamlValues = 100'000;  // aliases make many of few bytes
constexpr std::size_t kMaxKeys = 20'000;         // of one object, which is searched from its beginning

// What PyYAML, of YAML 1.1, takes for a plain number as JSON does, and what it takes for anything else than a text.
const char* const kNniNumber = R"([-+]?(0|[1-9][0-9]*)|[-+]?[0-9]+\.[0-9]*([eE][-+][0-9]+)?|\.[0-9]+([eE][-+][0-9]+)?)";
const char* const kNniNoText =
    "yes|Yes|YES|no|No|NO|on|On|ON|off|Off|OFF"
    "|[-+]?0b[01_]+|[-+]?0x[0-9a-fA-F_]+|[-+]?[0-9][0-9_]*(:[0-5]?[0-9])*(\\.[0-9_]*)?([eE][-+][0-9]+)?"
    "|\\.[0-9][0-9_]*|[-+]?\\.(inf|Inf|INF)|\\.(nan|NaN|NAN)|[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([Tt \t].*)?";

// Throws InputError where NNI would give the unquoted `text` another JSON type or value than `value`.
void check_as_nni(const std::string& text, const Json& value, int line) {
  static const std::regex kNumber(kNniNumber), kNoText(kNniNoText);
  if (text.size() > 64) return;
  const std::string start = "line " + std::to_string(line) + ": " + text + " without quotes is ";
  if (value.is_number() && !std::regex_match(text, kNumber)) {
    throw InputError(
        start + "no such number to NNI, which reads YAML 1.1; write " + value.dump() +
        (value.dump().find_first_of(".e") == std::string::npos ? "" : " with a point and a signed exponent") +
        " for the number, or quote it for the text");
  }
  if (value.is_string() && std::regex_match(text, kNoText)) {
    throw InputError(start +
                     "true, false, a number or a date to NNI, which reads YAML 1.1; quote it, or write what is meant");
  }
}

Json core_scalar(const YAML::Node& node) {
  const std::string& text = node.Scalar();
  static const std::regex kInteger("[-+]?[0-9]+");
  // YAML 1.2 and JSON write 1e-3; YAML 1.1 loaders take that for a string, which nobody means.
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

Json scalar_from_yaml(const YAML::Node& node, YamlScalars scalars) {
  if (node.Tag() == "!") return node.Scalar();  // quoted
  Json value = core_scalar(node);
  if (scalars == YamlScalars::kAsNni) check_as_nni(node.Scalar(), value, node.Mark().line + 1);
  return value;
}

Json json_from_yaml(const YAML::Node& node, YamlScalars scalars, int depth, std::size_t& values) {
  if (depth > kMaxDepth) throw InputError("nested deeper than " + std::to_string(kMaxDepth) + " levels");
  if (++values > kMaxYamlValues) {
    throw InputError("more than " + std::to_string(kMaxYamlValues) + " values; do aliases multiply them?");
  }
  if (node.IsMap()) {
    Json object = Json::object();
    for (const auto& entry : node) {
      const std::string place = "line " + std::to_string(entry.first.Mark().line + 1) + ": ";
      if (!entry.first.IsScalar()) throw InputError(place + "expected a text as key, got a list or more keys");
      const std::string key = entry.first.Scalar();
      if (object.contains(key)) throw InputError(place + "key \"" + key + "\" appears twice");
      if (object.size() == kMaxKeys) throw InputError(place + "more than " + std::to_string(kMaxKeys) + " keys");
      object[key] = json_from_yaml(entry.second, scalars, depth + 1, values);
    }
    return object;
  }
  if (node.IsSequence()) {
    Json array = Json::array();
    for (const auto& item : node) array.push_back(json_from_yaml(item, scalars, depth + 1, values));
    return array;
  }
  if (node.IsScalar()) return scalar_from_yaml(node, scalars);
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
      if (c == '\\')
        ++i;
      else if (c == '"')
        in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '[' || c == '{') {
      if (++depth > kMaxDepth) throw InputError(what + ": nested deeper than " + std::to_string(kMaxDepth) + " levels");
    } else if (c == ']' || c == '}') {
      --depth;
    }
  }
}

// The text of an nlohmann exception without its tag: "[json.exception.parse_error.101] parse error at line 1, …".
std::string untagged(const Json::exception& error) {
  const std::string message = error.what();
  const auto end_of_tag = message.find("] ");
  return end_of_tag == std::string::npos ? message : message.substr(end_of_tag + 2);
}

// Called by the parser as it reads; refuses a key that its object has already, of which the parser would take the last.
class UniqueKeys {
 public:
  explicit UniqueKeys(const std::string& what) : what_(what) {}

  bool operator()(int depth, Json::parse_event_t event, const Json& parsed) {
    const auto level = static_cast<std::size_t>(depth);
    if (event == Json::parse_event_t::object_start) {
      if (keys_.size() <= level + 1) keys_.resize(level + 2);
      keys_[level + 1].clear();
    } else if (event == Json::parse_event_t::key) {
      const auto& key = parsed.get_ref<const std::string&>();
      if (!keys_[level].insert(key).second) throw InputError(what_ + ": key " + brief(parsed) + " appears twice");
      if (keys_[level].size() > kMaxKeys) {
        throw InputError(what_ + ": more than " + std::to_string(kMaxKeys) + " keys in one object");
      }
    }
    return true;
  }

 private:
  const std::string& what_;
  std::vector<std::set<std::string>> keys_;  // of the objects that are open, by depth
};

}  // namespace

Json parse_json(std::string_view text, const std::string& what) {
  check_depth(text, what);
  if (text.find_first_not_of(" \t\r\n") == text.npos) throw InputError(what + ": expected JSON, it is empty");
  try {
    return Json::parse(text, UniqueKeys(what));
  } catch (const Json::exception& error) {
    throw InputError(what + ": " + untagged(error));
  }
}

Json load_json_or_yaml(const std::string& file, YamlScalars scalars) {
  const std::string text = read_file(file);
  if (ends_with(file, ".json")) return parse_json(text, file);
  try {
    std::size_t values = 0;
    return json_from_yaml(YAML::Load(text), scalars, 0, values);
  } catch (const YAML::DeepRecursion&) {
    throw InputError(file + ": nested deeper than " + std::to_string(kMaxDepth) + " levels");
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
