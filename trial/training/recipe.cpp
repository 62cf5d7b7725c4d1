#include "trial/training/recipe.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <iterator>
#include <limits>
#include <sstream>
#include <variant>

#include "trial/training/recipe_files.h"
#include "tuner/base/error.h"
#include "tuner/base/names.h"
#include "tuner/space/backbones.h"
#include "tuner/space/detector_cost.h"

namespace hyperfd {
namespace {

// What a number may be. Written in error messages as `a number > 0`.
struct Range {
  double minimum = 0;
  bool includes_minimum = true;
  double maximum = std::numeric_limits<float>::max();  // networks compute in float32
};
// Search spaces may reach too far, and their trials shall have a result: training that float32 cannot hold diverges.
constexpr Range kLearningRate{0, false, std::numeric_limits<double>::max()};
constexpr Range kShare{0, true, 1};
constexpr Range kAtLeastOne{1, true, 1e9};
constexpr Range kCount{0, true, 1e9};

using Member =
    std::variant<int Recipe::*, double Recipe::*, bool Recipe::*, std::string Recipe::*, std::vector<int> Recipe::*>;

// The one declaration of a key: recipe files, --set, configurations, help and the saved recipe all follow from it.
struct Field {
  const char* key;
  Member member;
  const char* meaning;
  Range range = {};
  std::vector<std::string> words = {};
  std::string (*canonical)(const std::string&) = nullptr;  // in place of `words`; throws InputError
};

const std::vector<Field>& fields() {
  static const std::vector<Field> all = {
      {"backbone",
       &Recipe::backbone,
       "network before the feature pyramid: a name, or the text of an architecture (see profile --help)",
       {},
       {},
       canonical_backbone},
      {"channels",
       &Recipe::channels,
       "width of feature pyramid and context modules; if nothing says it, 64 for mobilenet_v1_x0.25, else 80",
       {4, true, 4096}},
      {"anchor_sizes", &Recipe::anchor_sizes, "sides of the anchors in pixels, two for each of the strides 8, 16, 32",
       kAtLeastOne},
      {"weights", &Recipe::weights,
       "initial weights: a name that comes with the program, a file, or \"\" for random ones"},
      {"batch_norm",
       &Recipe::batch_norm,
       "normal: learns; frozen: as the initial weights have it; folded: frozen and folded into the convolutions, "
       "faster",
       {},
       {"normal", "frozen", "folded"}},
      {"frozen_levels",
       &Recipe::frozen_levels,
       "backbone levels (of strides 8, 16, 32) that keep their initial weights",
       {0, true, 3}},
      {"optimizer", &Recipe::optimizer, "sgd or adam", {}, {"sgd", "adam"}},
      {"learning_rate", &Recipe::learning_rate, "highest learning rate", kLearningRate},
      {"momentum", &Recipe::momentum, "of sgd", {0, true, 0.9999}},
      {"weight_decay", &Recipe::weight_decay, "added to the gradient, times the weights", {}},
      {"decay_norms", &Recipe::decay_norms, "decay biases and batch norms too, not only convolutions' kernels"},
      {"backbone_rate", &Recipe::backbone_rate, "learning rate of the backbone as a factor of learning_rate", {}},
      {"gradient_clip", &Recipe::gradient_clip, "longest gradient (norm); 0: any", {}},
      {"average",
       &Recipe::average,
       "validate and keep a moving average of the weights: its decay a step; 0: none",
       {0, true, 0.99999}},
      {"precision",
       &Recipe::precision,
       "float32, or bfloat16 where it is safe (mixed precision): faster on processors with AMX, and meant for CUDA, "
       "not measured there",
       {},
       {"float32", "bfloat16"}},
      {"epochs", &Recipe::epochs, "times through the training images, at most", kAtLeastOne},
      {"batch_size", &Recipe::batch_size, "crops a step", {1, true, 4096}},
      {"warmup_epochs", &Recipe::warmup_epochs, "epochs in which the learning rate rises from a tenth", {}},
      {"schedule",
       &Recipe::schedule,
       "plateau: falls when validation stagnates; cosine: falls to a hundredth",
       {},
       {"plateau", "cosine"}},
      {"plateau_patience", &Recipe::plateau_patience, "stagnant validations before the learning rate falls",
       kAtLeastOne},
      {"plateau_factor", &Recipe::plateau_factor, "factor by which it falls", kShare},
      {"validate_every", &Recipe::validate_every, "epochs between validations", kAtLeastOne},
      {"stop_patience", &Recipe::stop_patience, "stagnant validations before training stops", kAtLeastOne},
      {"divergence",
       &Recipe::divergence,
       "training ends when an epoch's loss is this many times the lowest; 0: never",
       {}},
      {"crop_size", &Recipe::crop_size, "side of the training crops in pixels", {32, true, 4096}},
      {"min_crop_ratio",
       &Recipe::min_crop_ratio,
       "smallest crop as a part of the image's shorter side",
       {0.05, true, 1}},
      {"flip_probability", &Recipe::flip_probability, "of mirroring a crop", kShare},
      {"colour", &Recipe::colour, "vary brightness, contrast, saturation and hue"},
      {"iou_threshold",
       &Recipe::iou_threshold,
       "overlap from which an anchor is a face; background ends at half of it plus 0.05",
       {0.1, false, 0.95}},
      {"location_weight", &Recipe::location_weight, "weight of the box loss", {}},
      {"landmark_weight", &Recipe::landmark_weight, "weight of the landmark loss", {}},
      {"negative_ratio", &Recipe::negative_ratio, "hard negatives for each positive anchor", {0, false, 1e9}},
      {"minimum_negatives", &Recipe::minimum_negatives, "hard negatives in images with fewer (images without faces)",
       kCount},
      {"face_prior", &Recipe::face_prior, "face probability of every anchor before training", {0, false, 0.9}},
      {"evaluation_side",
       &Recipe::evaluation_side,
       "shorter side of evaluated images in pixels; 0: as they are",
       {0, true, 8192}},
      {"minimum_face",
       &Recipe::minimum_face,
       "smaller faces are ignored in evaluation (pixels at that size); unless it is given it follows evaluation_side, "
       "a twentieth of it, but not to 0",
       {}},
      {"score_threshold", &Recipe::score_threshold, "weaker detections are dropped", kShare},
      {"nms_threshold", &Recipe::nms_threshold, "overlap above which the weaker of two detections is dropped", kShare},
      {"evaluation_batch_size", &Recipe::evaluation_batch_size, "images of equal size evaluated at once, at most",
       kAtLeastOne},
  };
  return all;
}

const Field& find_field(const std::string& key, const std::string& source) {
  for (const Field& field : fields()) {
    if (field.key == key) return field;
  }
  throw InputError(source + ": " + unknown_name_message("key", key, recipe_keys()));
}

std::string short_number(double value) {
  std::ostringstream text;
  text << value;
  return text.str();
}

// Maxima that nobody comes near are said to those only who are past them.
std::string range_text(const Range& range, bool is_past_maximum) {
  std::string text = (range.includes_minimum ? "≥ " : "> ") + short_number(range.minimum);
  if (range.maximum < 1e9 || is_past_maximum) text += " and ≤ " + short_number(range.maximum);
  return text;
}

[[noreturn]] void refuse(const std::string& source, const Field& field, const std::string& expected,
                         const Json& value) {
  throw InputError(source + ": " + field.key + ": expected " + expected + ", got " + brief(value));
}

double checked_number(const Json& value, const Field& field, bool whole, const std::string& source) {
  const Range& range = field.range;
  const double number = value.is_number() ? value.get<double>() : std::numeric_limits<double>::quiet_NaN();
  const bool is_past_maximum = number > range.maximum;
  const bool reaches_minimum = range.includes_minimum ? number >= range.minimum : number > range.minimum;
  if (!std::isfinite(number) || !reaches_minimum || is_past_maximum || (whole && number != std::floor(number))) {
    refuse(source, field, (whole ? "a whole number " : "a number ") + range_text(range, is_past_maximum), value);
  }
  return number;
}

// Sets the member that `value` is meant for, by the member's type.
struct Setter {
  Recipe& recipe;
  const Field& field;
  const Json& value;
  const std::string& source;

  void operator()(int Recipe::*member) const {
    recipe.*member = static_cast<int>(checked_number(value, field, true, source));
  }
  void operator()(double Recipe::*member) const { recipe.*member = checked_number(value, field, false, source); }
  void operator()(bool Recipe::*member) const {
    if (!value.is_boolean()) refuse(source, field, "true or false", value);
    recipe.*member = value.get<bool>();
  }
  void operator()(std::string Recipe::*member) const {
    if (field.words.empty() && !field.canonical) {  // free text
      if (!value.is_string()) refuse(source, field, "text", value);
      recipe.*member = value.get<std::string>();
      return;
    }
    std::string word = value.is_string() ? value.get<std::string>() : "";
    // Search spaces write names as they like: "SGD", "Adam".
    std::transform(word.begin(), word.end(), word.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    if (field.canonical) {
      if (!value.is_string()) refuse(source, field, "a text", value);
      try {
        recipe.*member = field.canonical(word);
      } catch (const InputError& error) {
        throw InputError(source + ": " + field.key + ": " + error.what());
      }
      return;
    }
    if (std::find(field.words.begin(), field.words.end(), word) == field.words.end()) {
      std::string expected;
      for (const std::string& known : field.words) expected += (expected.empty() ? "" : " or ") + known;
      refuse(source, field, expected, value);
    }
    recipe.*member = word;
  }
  void operator()(std::vector<int> Recipe::*member) const {
    if (!value.is_array() || value.empty()) refuse(source, field, "a list of whole numbers", value);
    std::vector<int> numbers;
    for (const Json& item : value) numbers.push_back(static_cast<int>(checked_number(item, field, true, source)));
    recipe.*member = numbers;
  }
};

Json read_field(const Recipe& recipe, const Field& field) {
  return std::visit([&](auto member) { return Json(recipe.*member); }, field.member);
}

// `own_network`: see load_recipe().
void apply_file(Recipe& recipe, const std::string& file, int depth, std::set<std::string>& own_network) {
  if (depth > 8) throw InputError(file + ": extends: more than 8 recipes in a row; do they extend each other?");
  const Json content = load_json_or_yaml(file);
  if (!content.is_object()) throw InputError(file + ": expected keys and values, got " + brief(content));
  if (content.contains("extends")) {
    const Json& base = content["extends"];
    if (!base.is_string()) throw InputError(file + ": extends: expected the name of a recipe, got " + brief(base));
    std::string base_file;
    try {
      base_file = find_recipe(base.get<std::string>(), std::filesystem::path(file).parent_path().string());
    } catch (const InputError& error) {
      throw InputError(file + ": extends: " + error.what());
    }
    apply_file(recipe, base_file, depth + 1, own_network);
  }
  if (content.contains("weights")) own_network.clear();
  for (const auto& [key, value] : content.items()) {
    if (key == "extends") continue;
    set_field(recipe, key, value, file);
    if (std::find(std::begin(kNetworkKeys), std::end(kNetworkKeys), key) != std::end(kNetworkKeys))
      own_network.insert(key);
  }
}

}  // namespace

DetectorOptions Recipe::detector() const {
  return {backbone, channels > 0 ? channels : default_channels(backbone), anchor_sizes, batch_norm == "folded"};
}

MatchingOptions Recipe::matching() const {
  MatchingOptions options;
  options.positive_iou = static_cast<float>(iou_threshold);
  options.negative_iou = negative_iou_of(options.positive_iou);
  return options;
}

LossOptions Recipe::loss() const {
  LossOptions options;
  options.negative_ratio = static_cast<float>(negative_ratio);
  options.minimum_negatives = minimum_negatives;
  options.location_weight = static_cast<float>(location_weight);
  options.landmark_weight = static_cast<float>(landmark_weight);
  return options;
}

DecodingOptions Recipe::decoding() const {
  DecodingOptions options;
  options.score_threshold = static_cast<float>(score_threshold);
  options.nms_iou = static_cast<float>(nms_threshold);
  return options;
}

Recipe load_recipe(const std::string& name_or_file, const std::vector<std::string>& overrides,
                   std::set<std::string>* own_network) {
  Recipe recipe;
  const std::string file = find_recipe(name_or_file, ".");
  std::set<std::string> unread;
  apply_file(recipe, file, 0, own_network ? *own_network : unread);
  check_recipe(recipe, file);
  override_recipe(recipe, overrides);
  return recipe;
}

void override_recipe(Recipe& recipe, const std::vector<std::string>& overrides) {
  for (const std::string& assignment : overrides) {
    const std::size_t equals = assignment.find('=');
    if (equals == std::string::npos) throw InputError("--set: expected key=value, got \"" + assignment + "\"");
    const std::string text = assignment.substr(equals + 1);
    Json value = Json::parse(text, nullptr, /*allow_exceptions=*/false);
    if (value.is_discarded()) value = text;
    set_field(recipe, assignment.substr(0, equals), value, "--set");
  }
  check_recipe(recipe, "--set");
}

std::string to_yaml(const Recipe& recipe) {
  Recipe resolved = recipe;
  resolved.channels = recipe.detector().channels;
  std::string text;
  for (const Field& field : fields()) text += std::string(field.key) + ": " + read_field(resolved, field).dump() + "\n";
  return text;
}

Recipe recipe_from_yaml(const std::string& text, const std::string& source) {
  Recipe recipe;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    const std::size_t colon = line.find(": ");
    if (colon == std::string::npos) throw InputError(source + ": expected `key: value`, got \"" + line + "\"");
    const std::string key = line.substr(0, colon);
    set_field(recipe, key, parse_json(line.substr(colon + 2), source + ": " + key), source);
  }
  recipe.channels = recipe.detector().channels;
  check_recipe(recipe, source);
  return recipe;
}

void set_field(Recipe& recipe, const std::string& key, const Json& value, const std::string& source) {
  const Field& field = find_field(key, source);
  std::visit(Setter{recipe, field, value, source}, field.member);
  if (key == "minimum_face") recipe.minimum_face_is_given = true;
  if (key == "evaluation_side" && recipe.evaluation_side > 0 && !recipe.minimum_face_is_given)
    recipe.minimum_face = recipe.evaluation_side * 36.0 / 720;  // B.1
}

void check_recipe(const Recipe& recipe, const std::string& source) {
  const int channels = recipe.detector().channels;
  if (channels % 4 != 0) {
    throw InputError(source + ": channels: expected a multiple of 4, got " + std::to_string(channels));
  }
  if (recipe.anchor_sizes.size() != 6) {
    throw InputError(source + ": anchor_sizes: expected 6 sizes, got " + std::to_string(recipe.anchor_sizes.size()));
  }
  constexpr std::int64_t kMostParameters = 250'000'000;  // a gigabyte, and training takes four times that
  const std::int64_t parameters = detector_cost(recipe.backbone, channels).parameters;
  if (parameters > kMostParameters) {
    throw InputError(source + ": backbone: expected a network of at most " + std::to_string(kMostParameters) +
                     " parameters, got one of " + std::to_string(parameters));
  }
}

std::vector<std::string> recipe_keys() {
  std::vector<std::string> keys;
  for (const Field& field : fields()) keys.emplace_back(field.key);
  return keys;
}

std::string describe_recipe_keys() {
  std::string text;
  for (const Field& field : fields()) {
    std::string key = field.key;
    key.resize(std::max<std::size_t>(key.size(), 22), ' ');
    text += "  " + key + " " + field.meaning + "\n";
  }
  return text;
}

}  // namespace hyperfd
