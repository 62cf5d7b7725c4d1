#include "tuner/ranker/ranking_model_bytes.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <string_view>
#include <utility>

#include <torch/torch.h>

#include "tuner/base/digest.h"
#include "tuner/base/error.h"
#include "tuner/base/json.h"

namespace hyperfd {
namespace {

constexpr std::string_view kMagic = "HyperFD ranker 3\n", kMagic1 = "HyperFD ranker 1\n",
                           kMagic2 = "HyperFD ranker 2\n";
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

std::vector<std::string> names_field(const Json& header, const char* key) {
  std::vector<std::string> names;
  for (const Json& name : field(header, key, &Json::is_array)) {
    if (!name.is_string()) malformed(std::string("a name in \"") + key + "\" is " + brief(name));
    names.push_back(name.get<std::string>());
  }
  return names;
}

// The elements of a list of pairs, the second a number.
std::vector<std::pair<Json, std::int64_t>> pairs_field(const Json& header, const char* key) {
  std::vector<std::pair<Json, std::int64_t>> pairs;
  for (const Json& pair : field(header, key, &Json::is_array)) {
    if (!pair.is_array() || pair.size() != 2 || !pair[1].is_number_integer() || pair[1].get<std::int64_t>() < 0) {
      malformed(std::string("an entry of \"") + key + "\" is " + brief(pair));
    }
    pairs.emplace_back(pair[0], pair[1].get<std::int64_t>());
  }
  return pairs;
}

Json header_of(const RankingModelState& state) {
  const Ranker& ranker = state.ranker;
  Json extractor, effects, versions = Json::array(), seen = Json::array();
  if (ranker.extractor) {
    extractor = {{"image_features", ranker.extractor->image_features()},
                 {"statistics", ranker.extractor->statistics()},
                 {"frozen", ranker.frozen}};
  }
  if (ranker.effects) {
    Json parameters = Json::array();
    for (const EffectRegression::Parameter& parameter : ranker.effects->parameters()) {
      parameters.push_back(Json::array({parameter.column, parameter.columns, parameter.mask}));
    }
    effects = {{"parameters", parameters},
               {"width", ranker.effects->width()},
               {"numbers", ranker.effects->numbers()},
               {"groups", ranker.effects->groups()}};
  }
  for (const auto& [version, entry] : ranker.versions) {
    versions.push_back(Json::array({version, entry.references.size(0)}));
  }
  for (const auto& [task, entry] : ranker.seen) seen.push_back(Json::array({task, entry.version}));
  return {{"inputs", state.shape().flat},
          {"node_features", state.shape().node_features},
          {"units", ranker.units()},
          {"trained", state.trained},
          {"tasks", ranker.tasks},
          {"numbers", ranker.number_count()},
          {"number_names", ranker.number_names},
          {"extractor", extractor},
          {"version", ranker.version},
          {"references", ranker.references},
          {"versions", versions},
          {"seen", seen},
          {"importance", !ranker.importance.empty()},
          {"effects", effects}};
}

// E; nullopt if there is none.
std::optional<EffectRegression> effects_of(const Json& header, std::int64_t most) {
  const auto found = header.find("effects");
  if (found == header.end() || found->is_null()) return std::nullopt;
  std::vector<EffectRegression::Parameter> parameters;
  for (const Json& entry : field(*found, "parameters", &Json::is_array)) {
    const auto is_size = [](const Json& value) {
      return value.is_number_integer() && value.get<std::int64_t>() >= -1 && value.get<std::int64_t>() <= kMaxSize;
    };
    if (!entry.is_array() || entry.size() != 3 || !std::all_of(entry.begin(), entry.end(), is_size)) {
      malformed("an entry of \"parameters\" is " + brief(entry));
    }
    parameters.push_back({entry[0].get<std::int64_t>(), entry[1].get<std::int64_t>(), entry[2].get<std::int64_t>()});
  }
  const std::int64_t numbers = size_field(*found, "numbers"), groups = size_field(*found, "groups");
  const std::int64_t states = EffectRegression::states_of(parameters);
  if (states > most || groups > most ||
      numbers >= most / std::max<std::int64_t>(states, 1) / std::max<std::int64_t>(states, 1)) {
    malformed("impossible effects");
  }
  try {
    return EffectRegression(std::move(parameters), size_field(*found, "width"), numbers, groups);
  } catch (const InputError& error) {
    malformed(error.what());
  }
}

// What version 2 has and version 1 has not; tensors of the right shapes, with nothing in them.
void shape_extras(const Json& header, std::int64_t most, Ranker& ranker) {
  const std::int64_t units = ranker.units(), numbers = size_field(header, "numbers");
  if (numbers > most / units) malformed("\"numbers\" is " + std::to_string(numbers));
  ranker.number_shift = torch::empty({numbers});
  ranker.number_scale = torch::empty({numbers});
  ranker.number_map = torch::empty({units, numbers});
  if (header.contains("number_names")) ranker.number_names = names_field(header, "number_names");
  const auto names = static_cast<std::int64_t>(ranker.number_names.size());
  if (numbers > 0 && names > 0 && names != numbers) malformed(std::to_string(names) + " names of numbers");
  ranker.references = names_field(header, "references");
  ranker.version = size_field(header, "version");
  const auto extractor = header.find("extractor");
  if (extractor != header.end() && !extractor->is_null()) {
    const std::int64_t images = size_field(*extractor, "image_features"),
                       statistics = size_field(*extractor, "statistics");
    if (images + statistics > most / units || units % MetaFeatureExtractor::kHeads != 0)
      malformed("impossible extractor");
    Rng rng(0);
    ranker.extractor.emplace(images, statistics, units, rng);
    if (extractor->contains("frozen")) ranker.frozen = field(*extractor, "frozen", &Json::is_string).get<std::string>();
  }
  for (const auto& [version, rows] : pairs_field(header, "versions")) {
    if (!version.is_number_integer() || rows > most / units) malformed("an entry of \"versions\" is " + brief(version));
    ranker.versions[version.get<std::int64_t>()] = {torch::empty({rows, units}), torch::empty({units, units})};
  }
  for (const auto& [task, version] : pairs_field(header, "seen")) {
    if (!task.is_string() || !ranker.versions.count(version)) malformed("an entry of \"seen\" is " + brief(task));
    ranker.seen[task.get<std::string>()] = {version, torch::empty({units})};
  }
  if (field(header, "importance", &Json::is_boolean).get<bool>()) {
    for (const torch::Tensor& weights : ranker.synaptic_weights()) {
      ranker.importance.push_back(torch::empty_like(weights));
    }
  }
  ranker.effects = effects_of(header, most);
}

}  // namespace

std::string ranking_model_to_bytes(const RankingModelState& state) {
  std::string content = header_of(state).dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
  for (const torch::Tensor& weights : state.ranker.tensors()) {
    const torch::Tensor flat = weights.contiguous();
    content.append(reinterpret_cast<const char*>(flat.data_ptr<float>()),
                   static_cast<std::size_t>(flat.numel()) * sizeof(float));
  }
  return std::string(kMagic) + sha256(content) + "\n" + content;
}

RankingModelState ranking_model_from_bytes(const std::string& bytes, RankerOptions options) {
  std::string_view rest = bytes;
  const bool is_version_1 = rest.substr(0, kMagic1.size()) == kMagic1;
  const bool is_version_2 = rest.substr(0, kMagic2.size()) == kMagic2;
  if (!is_version_1 && !is_version_2 && rest.substr(0, kMagic.size()) != kMagic) {
    malformed("does not start with \"HyperFD ranker 3\", 2 or 1");
  }
  rest.remove_prefix(kMagic.size());
  const std::string_view digest = take_line(rest, "digest");
  if (digest != sha256(rest)) malformed("content and digest differ");

  const Json header = parse_header(take_line(rest, "header"));
  const std::int64_t inputs = size_field(header, "inputs"), units = size_field(header, "units");
  const std::int64_t nodes = is_version_1 ? 0 : size_field(header, "node_features");
  const std::vector<std::string> tasks = names_field(header, "tasks");
  // No tensor may be larger than what is there, or it could not even be allocated.
  const auto most = static_cast<std::int64_t>(rest.size() / sizeof(float));
  if (units == 0 || units > most / units || inputs > most / units || nodes > most / units ||
      static_cast<std::int64_t>(tasks.size()) > most / units) {
    malformed(std::to_string(rest.size()) + " bytes of weights are too few");
  }
  options.hidden_units = units;
  Rng rng(0);  // for weights that are overwritten below
  Ranker ranker({static_cast<std::size_t>(inputs), static_cast<std::size_t>(nodes)}, units, rng);
  ranker.find_or_add(tasks);
  if (ranker.tasks.size() != tasks.size()) malformed("a task appears twice");
  if (!is_version_1) shape_extras(header, most, ranker);

  const std::vector<torch::Tensor> tensors = ranker.tensors();
  std::int64_t expected = 0;
  for (const torch::Tensor& weights : tensors) expected += weights.numel();
  if (static_cast<std::int64_t>(rest.size()) != expected * static_cast<std::int64_t>(sizeof(float))) {
    malformed(std::to_string(rest.size()) + " bytes of weights, expected " + std::to_string(expected * 4));
  }
  for (const torch::Tensor& weights : tensors) {
    const std::size_t size = static_cast<std::size_t>(weights.numel()) * sizeof(float);
    if (size > 0) std::memcpy(weights.data_ptr<float>(), rest.data(), size);
    rest.remove_prefix(size);
    if (!weights.isfinite().all().item<bool>()) malformed("a weight is not finite");
  }
  return {std::move(options), std::move(ranker), field(header, "trained", &Json::is_boolean).get<bool>()};
}

}  // namespace hyperfd
