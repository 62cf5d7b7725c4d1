#include "tuner/base/yaml.h"

#include <regex>

#include <yaml-cpp/depthguard.h>
#include <yaml-cpp/yaml.h>

#include "tuner/base/error.h"

namespace hyperfd {
namespace {

constexpr std::size_t kMaxValues = 100'000;  // aliases make many of few bytes

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
  if (++values > kMaxValues) {
    throw InputError("more than " + std::to_string(kMaxValues) + " values; do aliases multiply them?");
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

}  // namespace

Json parse_yaml(const std::string& text, const std::string& what, YamlScalars scalars) {
  try {
    std::size_t values = 0;
    return json_from_yaml(YAML::Load(text), scalars, 0, values);
  } catch (const YAML::DeepRecursion&) {
    throw InputError(what + ": nested deeper than " + std::to_string(kMaxDepth) + " levels");
  } catch (const YAML::Exception& error) {
    throw InputError(what + ": line " + std::to_string(error.mark.line + 1) + ": " + error.msg);
  } catch (const InputError& error) {
    throw InputError(what + ": " + error.what());
  }
}

}  // namespace hyperfd
