#include "tuner/space/architecture_template.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

#include "tuner/base/error.h"
#include "tuner/base/names.h"
#include "tuner/space/path.h"

namespace hyperfd {
namespace {

constexpr TemplateNumber::Bounds kKernels{1, 99}, kExpansions{1, 64}, kWidths{1, 16384}, kStrides{1, 64};
constexpr TemplateNumber::Bounds kRepeats{0, 256};
constexpr std::size_t kMaxNodes = 20000;  // of all stages, blocks and alternatives; far above any that a person writes
constexpr std::size_t kMaxTableEntries = 200'000;  // of all of these together: each has tables of its own
constexpr int kTrials = 100;                       // random configurations that a new template is tried on
constexpr char kInput[] = "(input)", kOutput[] = "(output)";

bool same_shape(const FeatureMap& a, const FeatureMap& b) {
  return a.channels == b.channels && a.height == b.height && a.width == b.width;
}

}  // namespace

// Turns the JSON of a template into stages.
class ArchitectureTemplate::Parser {
 public:
  Parser(const SpaceKeys& keys, std::set<std::string>& used) : keys_(keys), used_(used) {}

  Stage stage(const Json& definition, const Path& path) {
    check_keys(definition, {"name", "width", "stride", "repeat", "block", "residual"}, path);
    Stage stage;
    const Path name_path(path, "name");
    if (!definition.contains("name") || !definition["name"].is_string()) name_path.fail("expected the stage's name");
    stage.name = definition["name"].get<std::string>();
    const Reference::Scope scope{keys_, stage.name, 0};
    stage.width = number(definition, "width", scope, path, kWidths);
    stage.stride = number(definition, "stride", scope, path, kStrides);
    stage.repeat = number(definition, "repeat", scope, path, kRepeats).value_or(1);
    for (int i = 1; i <= stage.repeat.largest(); ++i) {
      stage.blocks.push_back(block(definition, {keys_, stage.name, i}, stage, path));
    }
    return stage;
  }

 private:
  Block block(const Json& definition, const Reference::Scope& scope, const Stage& stage, const Path& path) {
    const Path block_path(path, "block");
    if (!definition.contains("block")) block_path.fail("missing: an operator, or a list of them");
    Block block;
    if (definition.contains("residual")) {
      if (!definition["residual"].is_boolean()) Path(path, "residual").fail("expected true or false");
      block.adds_input = definition["residual"].get<bool>();
    }
    const Json& nodes = definition["block"];
    if (!nodes.is_array()) {
      block.nodes.push_back(node(nodes, scope, stage, block_path));
      return block;
    }
    for (const Json& entry : nodes) {
      block.nodes.push_back(node(entry, scope, stage, Path(block_path, block.nodes.size())));
    }
    if (block.nodes.empty()) block_path.fail("expected at least one operator, got []");
    return block;
  }

  Node node(const Json& definition, const Reference::Scope& scope, const Stage& stage, const Path& path) {
    check_keys(definition, {"operator", "kernel", "expansion", "width", "stride"}, path);
    const Path kind_path(path, "operator");
    if (!definition.contains("operator")) kind_path.fail("missing; known: " + list(operator_names()));
    const Json& kind = definition["operator"];
    if (kind.is_object()) return alternatives(definition, kind, scope, stage, kind_path);
    if (!kind.is_string()) kind_path.fail("expected an operator's name, got " + brief(kind));
    Node node = operator_node(kind.get<std::string>(), definition, scope, stage, path);
    refuse_others(definition, *node.kind, path);
    return node;
  }

  // A node for every value of the key; numbers beside the operator are for the alternatives that take them.
  Node alternatives(const Json& definition, const Json& choice, const Reference::Scope& scope, const Stage& stage,
                    const Path& path) {
    Node node;
    count_table(choice, path);
    node.choice.emplace(choice, scope, path);
    used_.insert(node.choice->key().top());
    const auto values = node.choice->key().values();
    if (!values) path.fail("\"" + node.choice->key().text() + "\" has too many values to name operators");
    const bool by_table = choice.contains("values");
    for (const Json& value : *values) {
      const std::string text = value_text(value), step = by_table ? text : "key";
      const Json& named = by_table ? choice["values"][text] : value;
      const Path value_path(path, step);
      Json merged = definition;
      if (named.is_object()) {
        check_keys(named, {"operator", "kernel", "expansion", "width", "stride"}, value_path);
        for (const auto& [key, own] : named.items()) merged[key] = own;
      } else {
        merged["operator"] = named;
      }
      if (!merged["operator"].is_string()) value_path.fail("expected an operator's name, got " + brief(named));
      node.alternatives.emplace(text,
                                operator_node(merged["operator"].get<std::string>(), merged, scope, stage, value_path));
    }
    return node;
  }

  Node operator_node(const std::string& name, const Json& definition, const Reference::Scope& scope, const Stage& stage,
                     const Path& path) {
    Node node;
    if (++nodes_ > kMaxNodes) path.fail("the architecture has too many operators");
    node.kind = find_operator(name);
    if (!node.kind) Path(path, "operator").fail(unknown_name_message("operator", name, operator_names()));
    const auto take = [&](bool takes, const char* key, TemplateNumber::Bounds bounds) {
      return takes ? number(definition, key, scope, path, bounds) : std::nullopt;
    };
    node.kernel = take(node.kind->takes_kernel, "kernel", kKernels);
    node.expansion = take(node.kind->takes_expansion, "expansion", kExpansions);
    node.width = take(node.kind->takes_width, "width", kWidths);
    node.stride = take(node.kind->takes_stride, "stride", kStrides);
    if (node.kind->takes_width && !node.width) node.width = stage.width;
    const auto require = [&](bool takes, const auto& given, const char* key) {
      if (takes && !given) Path(path, key).fail("missing; the operator " + name + " needs it");
    };
    require(node.kind->takes_kernel, node.kernel, "kernel");
    require(node.kind->takes_expansion, node.expansion, "expansion");
    require(node.kind->takes_width, node.width, "width");
    return node;
  }

  static void refuse_others(const Json& definition, const Operator& kind, const Path& path) {
    const auto refuse = [&](bool takes, const char* key) {
      if (!takes && definition.contains(key)) Path(path, key).fail("the operator " + kind.name + " does not take it");
    };
    refuse(kind.takes_kernel, "kernel");
    refuse(kind.takes_expansion, "expansion");
    refuse(kind.takes_width, "width");
    refuse(kind.takes_stride, "stride");
  }

  std::optional<TemplateNumber> number(const Json& definition, const char* key, const Reference::Scope& scope,
                                       const Path& path, TemplateNumber::Bounds bounds) {
    if (!definition.contains(key)) return std::nullopt;
    count_table(definition[key], Path(path, key));
    TemplateNumber number(definition[key], scope, Path(path, key), bounds);
    if (number.reference()) used_.insert(number.reference()->key().top());
    return number;
  }

  // A few bytes of a template make many tables: those of a block are there for each of its repetitions.
  void count_table(const Json& definition, const Path& path) {
    if (!definition.is_object() || !definition.contains("values")) return;
    table_entries_ += definition["values"].size();
    if (table_entries_ > kMaxTableEntries)
      path.fail("the architecture's tables have too many values, repetitions counted");
  }

  static std::string list(const std::vector<std::string>& names) {
    std::string text;
    for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
    return text;
  }

  const SpaceKeys& keys_;
  std::set<std::string>& used_;
  std::size_t nodes_ = 0, table_entries_ = 0;
};

ArchitectureTemplate::ArchitectureTemplate(const Json& definition, const SearchSpace& space, const SpaceKeys& keys,
                                           const Path& path) {
  check_keys(definition, {"input", "stages"}, path);
  const Reference::Scope nowhere{keys, "", 0};
  if (definition.contains("input")) {
    const Json& input = definition["input"];
    const Path input_path(path, "input");
    check_keys(input, {"channels", "size"}, input_path);
    if (input.contains("channels")) {
      channels_ = TemplateNumber(input["channels"], nowhere, Path(input_path, "channels"), kWidths).read({});
    }
    if (input.contains("size")) input_size_ = parse_image_size(input["size"], Path(input_path, "size"));
  }
  const Path stages_path(path, "stages");
  if (!definition.contains("stages") || !definition["stages"].is_array() || definition["stages"].empty()) {
    stages_path.fail("expected a list of stages");
  }
  std::set<std::string> used;
  Parser parser(keys, used);
  for (const Json& stage : definition["stages"]) {
    stages_.push_back(parser.stage(stage, Path(stages_path, stages_.size())));
  }
  keys_.assign(used.begin(), used.end());
  measure_scales();

  Rng rng(0);
  for (int i = 0; i < kTrials; ++i) {
    try {
      cost(space.sample(rng));
    } catch (const InputError& error) {
      path.fail(error.what());
    }
  }
}

void ArchitectureTemplate::measure_scales() {
  std::set<std::string> names = {kInput, kOutput};
  largest_ = {1, 1, channels_, 1};
  const auto widen = [](int& largest, const std::optional<TemplateNumber>& number) {
    if (number) largest = std::max(largest, number->largest());
  };
  const auto add = [&](const Node& node) {
    names.insert(node.kind->name);
    widen(largest_.kernel, node.kernel);
    widen(largest_.expansion, node.expansion);
    widen(largest_.width, node.width);
    widen(largest_.stride, node.stride);
  };
  for (const Stage& stage : stages_) {
    widen(largest_.stride, stage.stride);
    most_blocks_ = std::max(most_blocks_, stage.repeat.largest());
    for (const Block& block : stage.blocks) {
      for (const Node& node : block.nodes) {
        if (node.kind) add(node);
        for (const auto& alternative : node.alternatives) add(alternative.second);
      }
    }
  }
  for (const std::string& name : names) columns_.emplace(name, columns_.size());
}

std::vector<ArchitectureTemplate::Layer> ArchitectureTemplate::layers(const Configuration& configuration) const {
  std::vector<Layer> layers;
  for (std::size_t s = 0; s < stages_.size(); ++s) {
    const Stage& stage = stages_[s];
    const int repeat = stage.repeat.read(configuration);
    int stage_stride = stage.stride ? stage.stride->read(configuration) : 1;  // for the first operator that takes one
    for (int b = 0; b < repeat; ++b) {
      const Block& block = stage.blocks[static_cast<std::size_t>(b)];
      for (std::size_t n = 0; n < block.nodes.size(); ++n) {
        const Node* node = &block.nodes[n];
        if (node->choice) {
          const auto chosen = node->alternatives.find(value_text(node->choice->value(configuration)));
          if (chosen == node->alternatives.end()) {
            throw InputError("\"" + node->choice->key().text() + "\" names no operator in " + brief(configuration));
          }
          node = &chosen->second;
        }
        Layer layer{node->kind,
                    {},
                    static_cast<int>(s),
                    b,
                    block.adds_input && n == 0,
                    block.adds_input && n + 1 == block.nodes.size()};
        if (node->kernel) layer.settings.kernel = node->kernel->read(configuration);
        if (node->expansion) layer.settings.expansion = node->expansion->read(configuration);
        if (node->width) layer.settings.width = node->width->read(configuration);
        if (node->stride) {
          layer.settings.stride = node->stride->read(configuration);
        } else if (node->kind->takes_stride) {
          layer.settings.stride = std::exchange(stage_stride, 1);
        }
        layers.push_back(layer);
      }
    }
    if (repeat > 0 && stage_stride > 1) {
      throw InputError("stage \"" + stage.name + "\": no operator takes its stride in " + brief(configuration));
    }
  }
  return layers;
}

Cost ArchitectureTemplate::cost(const Configuration& configuration, ImageSize size) const {
  Cost cost;
  FeatureMap map{channels_, size.height, size.width};
  for (const Layer& layer : layers(configuration)) map = layer.kind->apply(cost, map, layer.settings);
  return cost;
}

Graph ArchitectureTemplate::graph(const Configuration& configuration) const {
  Graph graph;
  graph.feature_size = feature_size();
  const auto add_node = [&](const std::string& name, const OperatorSettings& settings, int stage, int block) {
    const std::size_t row = graph.features.size();
    graph.features.resize(row + graph.feature_size);
    graph.features[row + columns_.at(name)] = 1;
    const auto share = [](int value, int largest) { return static_cast<float>(value) / static_cast<float>(largest); };
    // Widths double from stage to stage: on a linear scale the narrow ones would all look alike.
    const float width = std::log1p(static_cast<float>(settings.width)) / std::log1p(static_cast<float>(largest_.width));
    const float numbers[kNumbers] = {share(settings.kernel, largest_.kernel),
                                     share(settings.expansion, largest_.expansion),
                                     width,
                                     share(settings.stride, largest_.stride),
                                     share(stage, static_cast<int>(stages_.size()) + 1),
                                     share(block, most_blocks_)};
    std::copy(std::begin(numbers), std::end(numbers),
              graph.features.begin() + static_cast<std::ptrdiff_t>(row + columns_.size()));
    return static_cast<int>(graph.nodes()) - 1;
  };

  // What comes out of a point of the chain: a node's output, to which perhaps that of an earlier node is added.
  struct Flow {
    int node, added;  // added: −1 if nothing
    FeatureMap map;
  };
  const auto connect = [&](const Flow& flow, int to) {
    if (flow.added >= 0) graph.edges.emplace_back(flow.added, to);
    graph.edges.emplace_back(flow.node, to);
  };
  Flow flow{add_node(kInput, {0, 0, channels_, 0}, 0, 0), -1, {channels_, input_size_.height, input_size_.width}};
  Flow block_input = flow;
  Cost unused;
  for (const Layer& layer : layers(configuration)) {
    if (layer.opens_residual) block_input = flow;
    FeatureMap map = layer.kind->apply(unused, flow.map, layer.settings);
    OperatorSettings settings = layer.settings;
    settings.width = map.channels;
    const int node = add_node(layer.kind->name, settings, layer.stage + 1, layer.block + 1);
    connect(flow, node);
    Flow out{node, -1, map};
    if (layer.kind->adds_input && same_shape(map, flow.map)) out.added = flow.node;
    if (layer.closes_residual && same_shape(map, block_input.map)) out.added = block_input.node;
    flow = out;
  }
  connect(flow, add_node(kOutput, {0, 0, flow.map.channels, 0}, static_cast<int>(stages_.size()) + 1, 0));
  return graph;
}

}  // namespace hyperfd
