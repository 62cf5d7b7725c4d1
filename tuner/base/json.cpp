#include "tuner/base/json.h"

#include <set>
#include <vector>

#include "tuner/base/error.h"
#include "tuner/base/files.h"
#include "tuner/base/yaml.h"

namespace hyperfd {
namespace {

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
  return ends_with(file, ".json") ? parse_json(text, file) : parse_yaml(text, file, scalars);
}

std::string brief(const Json& value) {
  std::string text = value.dump(-1, ' ', false, Json::error_handler_t::replace);
  if (text.size() > 60) text = text.substr(0, 57) + "...";
  return text;
}

}  // namespace hyperfd
