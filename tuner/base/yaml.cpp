#include "tuner/base/yaml.h"

#include <regex>
#include <vector>

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

bool is_no_text_to_nni(const std::string& text) {
  static const std::regex kNoText(kNniNoText);
  return text.size() <= 64 && std::regex_match(text, kNoText);
}

// Throws InputError where NNI would give the unquoted `text` another JSON type or value than `value`.
void check_as_nni(const std::string& text, const Json& value, int line) {
  static const std::regex kNumber(kNniNumber);
  const std::string start = "line " + std::to_string(line) + ": " + text + " without quotes is ";
  if (value.is_number() && !std::regex_match(text, kNumber)) {
    throw InputError(
        start + "no such number to NNI, which reads YAML 1.1; write " + value.dump() +
        (value.dump().find_first_of(".e") == std::string::npos ? "" : " with a point and a signed exponent") +
        " for the number, or quote it for the text");
  }
  if (value.is_string() && is_no_text_to_nni(text)) {
    throw InputError(start +
                     "true, false, a number or a date to NNI, which reads YAML 1.1; quote it, or write what is meant");
  }
}

std::string line_of(const YAML::Node& node) {
  return "line " + std::to_string(node.Mark().line + 1) + ": ";
}

// In quotes, or with the tag `!!str`.
bool is_text(const YAML::Node& node) {
  return node.IsScalar() && (node.Tag() == "!" || node.Tag() == "tag:yaml.org,2002:str");
}

// Throws InputError for a tag that would make something else of the node; "?" is the lack of one.
void check_tag(const YAML::Node& node) {
  const std::string& tag = node.Tag();
  if (tag.empty() || tag == "?" || is_text(node)) return;
  throw InputError(line_of(node) + "the tag " + tag + " is not read; write the value as it is meant, without a tag");
}

Json core_scalar(const std::string& text) {
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
  if (is_text(node)) return node.Scalar();
  Json value = core_scalar(node.Scalar());
  if (scalars == YamlScalars::kAsNni) check_as_nni(node.Scalar(), value, node.Mark().line + 1);
  return value;
}

std::string key_from_yaml(const YAML::Node& node, YamlScalars scalars) {
  if (node.IsNull()) throw InputError(line_of(node) + "expected a text as key, got null; quote it");
  if (!node.IsScalar()) throw InputError(line_of(node) + "expected a text as key, got a list or more keys");
  check_tag(node);
  const std::string& key = node.Scalar();
  if (is_text(node)) return key;
  if (key == "<<") throw InputError(line_of(node) + "merge keys (<<) are not read; write out what they would add");
  if (scalars == YamlScalars::kCore) return key;
  const Json value = core_scalar(key);
  // A number becomes a text again where NNI writes JSON: 1 and 0.5 do not change on the way.
  if (value.is_string() ? is_no_text_to_nni(key) : value.dump() != key) {
    throw InputError(line_of(node) + "the key " + key +
                     " without quotes may be another to NNI, which reads YAML 1.1; quote the key");
  }
  return key;
}

Json json_from_yaml(const YAML::Node& node, YamlScalars scalars, int depth, std::size_t& values) {
  if (depth > kMaxDepth) throw InputError("nested deeper than " + std::to_string(kMaxDepth) + " levels");
  if (++values > kMaxValues) {
    throw InputError("more than " + std::to_string(kMaxValues) + " values; do aliases multiply them?");
  }
  check_tag(node);
  if (node.IsMap()) {
    Json object = Json::object();
    for (const auto& entry : node) {
      const std::string key = key_from_yaml(entry.first, scalars);
      if (object.contains(key)) throw InputError(line_of(entry.first) + "key \"" + key + "\" appears twice");
      if (object.size() == kMaxKeys) {
        throw InputError(line_of(entry.first) + "more than " + std::to_string(kMaxKeys) + " keys");
      }
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
    const std::vector<YAML::Node> documents = YAML::LoadAll(text);
    if (documents.empty()) return nullptr;
    if (documents.size() > 1) throw InputError(line_of(documents[1]) + "a second document; write one a file");
    std::size_t values = 0;
    return json_from_yaml(documents[0], scalars, 0, values);
  } catch (const YAML::DeepRecursion&) {
    throw InputError(what + ": nested deeper than " + std::to_string(kMaxDepth) + " levels");
  } catch (const YAML::Exception& error) {
    throw InputError(what + ": line " + std::to_string(error.mark.line + 1) + ": " + error.msg);
  } catch (const InputError& error) {
    throw InputError(what + ": " + error.what());
  }
}

}  // namespace hyperfd
