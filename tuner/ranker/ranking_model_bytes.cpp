#include "tuner/ranker/ranking_model_bytes.h"

#include <cstring>
#include <string_view>
#include <utility>

#include <torch/torch.h>

#include "tuner/base/digest.h"
#include "tuner/base/error.h"
#include "tuner/base/json.h"

namespace hyperfd {
namespace {

constexpr std::string_view kMagic = "HyperFD ranker 1\n";
constexpr std::int64_t kMaxSize = 1 << 20;  // of any one dimension; keeps products within 64 bits

[[noreturn]] void malformed(const std::string& what) {
  throw StoreError("stored ranker: " + what);
}

// The text up to the next newline, which is removed from `rest` with it.
std::string_view take_line(std::string_view& rest, const std::string& what) {
  const std::size_t end = rest.find('\n');
  if (end == std::string_view::npos) malformed(what + " is cut off");
  const std::string_view line = rest.substr(0, end);
  rest.remove_prefix(end + 1);
  return line;
}

const Json& field(const Json& header, const char* key, bool (Json::*is_type)() const noexcept) {
  const auto found = header.is_object() ? header.find(key) : header.end();
  if (found == header.end() || !((*found).*is_type)()) malformed(std::string("header has no valid \"") + key + "\"");
  return *found;
}

std::int64_t size_field(const Json& header, const char* key) {
  const Json& value = field(header, key, &Json::is_number_integer);
  const auto size = value.get<std::int64_t>();
  if (size < 0 || size > kMaxSize) malformed(std::string("\"") + key + "\" is " + brief(value));
  return size;
}

Json parse_header(std::string_view line) {
  try {
    return parse_json(line, "header");
  } catch (const InputError& error) {
    malformed(error.what());
  }
}

std::vector<std::string> parse_tasks(const Json& header) {
  std::vector<std::string> tasks;
  for (const Json& name : field(header, "tasks", &Json::is_array)) {
    if (!name.is_string()) malformed("a task's name is " + brief(name));
    tasks.push_back(name.get<std::string>());
  }
  return tasks;
}

}  // namespace

std::string ranking_model_to_bytes(const RankingModelState& state) {
  const Ranker& ranker = state.ranker;
  const Json header = {
      {"inputs", ranker.inputs()}, {"units", ranker.units()}, {"trained", state.trained}, {"tasks", ranker.tasks}};
  std::string content = header.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
  for (const torch::Tensor& weights : ranker.parameters()) {
    const torch::Tensor flat = weights.contiguous();
    content.append(reinterpret_cast<const char*>(flat.data_ptr<float>()),
                   static_cast<std::size_t>(flat.numel()) * sizeof(float));
  }
  return std::string(kMagic) + sha256(content) + "\n" + content;
}

RankingModelState ranking_model_from_bytes(const std::string& bytes, RankerOptions options) {
  std::string_view rest = bytes;
  if (rest.substr(0, kMagic.size()) != kMagic) malformed("does not start with \"HyperFD ranker 1\"");
  rest.remove_prefix(kMagic.size());
  const std::string_view digest = take_line(rest, "digest");
  if (digest != sha256(rest)) malformed("content and digest differ");

  const Json header = parse_header(take_line(rest, "header"));
  const std::int64_t inputs = size_field(header, "inputs"), units = size_field(header, "units");
  const std::vector<std::string> tasks = parse_tasks(header);
  const auto task_count = static_cast<std::int64_t>(tasks.size());
  const std::int64_t expected = units * (inputs + units + 3 + task_count);
  if (units == 0 || static_cast<std::int64_t>(rest.size()) != expected * static_cast<std::int64_t>(sizeof(float))) {
    malformed(std::to_string(rest.size()) + " bytes of weights, expected " + std::to_string(expected * 4));
  }

  options.hidden_units = units;
  Rng rng(0);  // for weights that are overwritten below
  Ranker ranker(inputs, units, rng);
  ranker.find_or_add(tasks);
  if (ranker.tasks.size() != tasks.size()) malformed("a task appears twice");
  for (torch::Tensor weights : ranker.parameters()) {
    const std::size_t size = static_cast<std::size_t>(weights.numel()) * sizeof(float);
    std::memcpy(weights.data_ptr<float>(), rest.data(), size);
    rest.remove_prefix(size);
    if (!weights.isfinite().all().item<bool>()) malformed("a weight is not finite");
  }
  return {std::move(options), std::move(ranker), field(header, "trained", &Json::is_boolean).get<bool>()};
}

}  // namespace hyperfd
