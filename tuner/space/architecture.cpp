#include "tuner/space/architecture.h"

#include <algorithm>
#include <regex>
#include <sstream>

#include "tuner/base/error.h"
#include "tuner/base/names.h"

namespace hyperfd {
namespace {

constexpr int kMaxDepth = 64;
constexpr int kMaxExpansion = 32;
constexpr int kMaxWidth = 4096;
constexpr std::size_t kFirstSearchedStage = 1;  // the first stage of Table 9 is the same in every network

std::string stage_key(std::size_t stage) {
  return "stage" + std::to_string(stage + 1);
}

// Stem, widths and strides of Table 9; `depths[i]` blocks of one kind in stage i, except that the first is never varied.
Architecture uniform_architecture(const std::vector<std::size_t>& depths, const BlockArchitecture& block) {
  Architecture architecture{
      16, {{8, 1, {}}, {12, 2, {}}, {16, 2, {}}, {32, 2, {}}, {48, 1, {}}, {80, 2, {}}, {160, 1, {}}}};
  for (std::size_t i = 0; i < depths.size(); ++i) architecture.stages[i].blocks.assign(depths[i], block);
  architecture.stages[0].blocks = {{1, 3}};
  return architecture;
}

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  std::istringstream stream(text);
  for (std::string part; std::getline(stream, part, separator);) parts.push_back(part);
  return parts;
}

std::vector<int> match_numbers(const std::string& part, const std::regex& pattern, const std::string& expected) {
  std::smatch found;
  if (!std::regex_match(part, found, pattern)) {
    throw InputError("architecture: expected " + expected + ", got \"" + part + "\"");
  }
  std::vector<int> numbers;
  for (std::size_t i = 1; i < found.size(); ++i) numbers.push_back(std::stoi(found[i]));
  return numbers;
}

// The value of one key of a stage of a configuration.
int read_number(const Json& stage, const std::string& key, const std::string& path, const std::string& expected,
                bool (*accepted)(int)) {
  if (!stage.contains(key)) throw InputError(path + "." + key + ": missing");
  const Json& value = stage[key];
  const bool in_range = value.is_number() && std::abs(value.get<double>()) < 1e6;
  // NNI may give 3.0 for 3.
  if (!in_range || value.get<double>() != value.get<int>() || !accepted(value.get<int>())) {
    throw InputError(path + "." + key + ": expected " + expected + ", got " + brief(value));
  }
  return value.get<int>();
}

std::vector<BlockArchitecture> read_stage(const Json& stage, const std::string& path) {
  if (!stage.is_object()) throw InputError(path + ": expected an object with \"_name\", got " + brief(stage));
  const Json name = stage.contains("_name") ? stage["_name"] : Json();
  std::smatch depth;
  const std::string text = name.is_string() ? name.get<std::string>() : "";
  if (!std::regex_match(text, depth, std::regex("depth([1-9][0-9]?)")) || std::stoi(depth[1]) > kMaxDepth) {
    throw InputError(path + "._name: expected depth1, depth2, …, got " + brief(name));
  }
  std::vector<BlockArchitecture> blocks;
  std::vector<std::string> known = {"_name"};
  for (int i = 1; i <= std::stoi(depth[1]); ++i) {
    const std::string kernel = "kernel" + std::to_string(i), expansion = "expansion" + std::to_string(i);
    BlockArchitecture block;
    block.kernel = read_number(stage, kernel, path, "3, 5 or 7", [](int n) { return n == 3 || n == 5 || n == 7; });
    block.expansion = read_number(stage, expansion, path, "a whole number from 1 to " + std::to_string(kMaxExpansion),
                                  [](int n) { return n >= 1 && n <= kMaxExpansion; });
    blocks.push_back(block);
    known.push_back(kernel);
    known.push_back(expansion);
  }
  for (const auto& [key, value] : stage.items()) {
    if (std::find(known.begin(), known.end(), key) == known.end()) {
      throw InputError(path + ": " + unknown_name_message("key", key, known) + " (" + text + ")");
    }
  }
  return blocks;
}

}  // namespace

Architecture mobilenet_v2_half() {
  return uniform_architecture({1, 2, 3, 4, 3, 3, 1}, {6, 3});
}

Architecture proxylessnas_largest() {
  return uniform_architecture({1, 3, 3, 4, 4, 4, 1}, {6, 7});
}

void check(const Architecture& architecture) {
  const auto require = [](bool holds, const std::string& field, int value, const std::string& expected) {
    if (!holds) throw InputError("architecture: " + field + ": expected " + expected + ", got " + std::to_string(value));
  };
  const auto require_range = [&](const std::string& field, int value, int maximum) {
    require(value >= 1 && value <= maximum, field, value, "a number from 1 to " + std::to_string(maximum));
  };
  if (architecture.stages.size() != 7) {
    throw InputError("architecture: expected 7 stages, got " + std::to_string(architecture.stages.size()));
  }
  require_range("stem_width", architecture.stem_width, kMaxWidth);
  int stride = 2;
  for (std::size_t i = 0; i < architecture.stages.size(); ++i) {
    const StageArchitecture& stage = architecture.stages[i];
    const std::string path = "stages[" + std::to_string(i) + "].";
    require_range(path + "width", stage.width, kMaxWidth);
    require(stage.stride == 1 || stage.stride == 2, path + "stride", stage.stride, "1 or 2");
    stride *= stage.stride;
    const int wanted = i == 2 ? 8 : i == 4 ? 16 : i == 6 ? 32 : stride;
    require(stride == wanted, path + "stride", stage.stride,
            "one that brings the network's stride to " + std::to_string(wanted));
    require_range(path + "depth", static_cast<int>(stage.blocks.size()), kMaxDepth);
    for (std::size_t j = 0; j < stage.blocks.size(); ++j) {
      const BlockArchitecture& block = stage.blocks[j];
      const std::string block_path = path + "blocks[" + std::to_string(j) + "].";
      require_range(block_path + "expansion", block.expansion, kMaxExpansion);
      require(block.kernel == 3 || block.kernel == 5 || block.kernel == 7, block_path + "kernel", block.kernel,
              "3, 5 or 7");
    }
  }
}

std::string to_text(const Architecture& architecture) {
  std::ostringstream text;
  text << architecture.stem_width;
  for (const StageArchitecture& stage : architecture.stages) {
    text << '-' << stage.width << 's' << stage.stride;
    char separator = ':';
    for (const BlockArchitecture& block : stage.blocks) {
      text << separator << 'k' << block.kernel << 'e' << block.expansion;
      separator = ',';
    }
  }
  return text.str();
}

Architecture architecture_from_text(const std::string& text) {
  static const std::regex width("([1-9][0-9]{0,3})");
  static const std::regex stage_head("([1-9][0-9]{0,3})s([0-9])");
  static const std::regex block("k([0-9])e([1-9][0-9]?)");
  const std::vector<std::string> parts = split(text, '-');
  if (parts.empty()) throw InputError("architecture: expected a stem width and stages, got \"\"");
  Architecture architecture;
  architecture.stem_width = match_numbers(parts[0], width, "a stem width like 16").front();
  for (auto part = parts.begin() + 1; part != parts.end(); ++part) {
    const std::size_t colon = std::min(part->find(':'), part->size());
    const std::vector<int> head =
        match_numbers(part->substr(0, colon), stage_head, "a stage's width and stride like 12s2");
    StageArchitecture stage{head[0], head[1], {}};
    for (const std::string& item : split(part->substr(std::min(colon + 1, part->size())), ',')) {
      const std::vector<int> numbers = match_numbers(item, block, "a block's kernel and expansion like k3e6");
      stage.blocks.push_back({numbers[1], numbers[0]});
    }
    architecture.stages.push_back(stage);
  }
  check(architecture);
  return architecture;
}

std::optional<Architecture> architecture_from(const Json& configuration, const std::string& source) {
  const std::vector<std::string> keys = architecture_keys();
  const auto present = [&](const std::string& key) { return configuration.contains(key); };
  if (std::none_of(keys.begin(), keys.end(), present)) return std::nullopt;
  Architecture architecture = mobilenet_v2_half();
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const std::string path = source + ": " + keys[i];
    if (!present(keys[i])) throw InputError(path + ": missing; an architecture needs all of stage2 … stage7");
    architecture.stages[i + kFirstSearchedStage].blocks = read_stage(configuration[keys[i]], path);
  }
  return architecture;
}

std::vector<std::string> architecture_keys() {
  std::vector<std::string> keys;
  for (std::size_t i = kFirstSearchedStage; i < 7; ++i) keys.push_back(stage_key(i));
  return keys;
}

}  // namespace hyperfd
