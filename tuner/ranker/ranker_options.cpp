#include "tuner/ranker/ranker_options.h"

#include <algorithm>
#include <charconv>
#include <functional>
#include <limits>
#include <utility>

#include "tuner/base/error.h"
#include "tuner/base/json.h"
#include "tuner/base/names.h"

namespace hyperfd {
namespace {

// One key, its value as text.
struct Option {
  std::function<void(RankerOptions&, const std::string& text)> set;  // throws InputError without the key
  std::function<std::string(const RankerOptions&)> get;
};

[[noreturn]] void refuse(const std::string& text, const std::string& expected) {
  throw InputError("expected " + expected + ", got \"" + text + "\"");
}

template <typename Number>
Option number(Number RankerOptions::*member, double low, double high) {
  const auto set = [=](RankerOptions& options, const std::string& text) {
    Number value{};
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (failure != std::errc() || end != text.data() + text.size() || !(value >= static_cast<Number>(low)) ||
        !(value <= static_cast<Number>(high))) {
      const std::string kind = std::numeric_limits<Number>::is_integer ? "a whole number" : "a number";
      refuse(text,
             kind + " from " + Json(static_cast<Number>(low)).dump() + " to " + Json(static_cast<Number>(high)).dump());
    }
    options.*member = value;
  };
  return {set, [=](const RankerOptions& options) { return Json(options.*member).dump(); }};
}

template <typename Value>
Option word(Value RankerOptions::*member, const std::vector<std::pair<std::string, Value>>& words) {
  const auto set = [=](RankerOptions& options, const std::string& text) {
    std::string known;
    for (const auto& [name, value] : words) {
      if (name == text) {
        options.*member = value;
        return;
      }
      known += (known.empty() ? "" : ", ") + name;
    }
    refuse(text, "one of " + known);
  };
  const auto get = [=](const RankerOptions& options) {
    const auto named = [&](const auto& entry) { return entry.second == options.*member; };
    return std::find_if(words.begin(), words.end(), named)->first;
  };
  return {set, get};
}

const std::map<std::string, Option>& option_table() {
  using O = RankerOptions;
  static const std::map<std::string, Option> table = {
      {"effects", word(&O::effects, {{"on", true}, {"off", false}})},
      {"network_share", number(&O::network_share, 0, 1)},
      {"hidden", number(&O::hidden_units, 4, 1024)},
      {"loss",
       word(&O::loss, {{"ranking", LossKind::kRanking}, {"pairwise", LossKind::kPairwise}, {"mse", LossKind::kMse}})},
      {"rank_by", word(&O::rank_by, {{"prediction", RankBy::kPrediction}, {"label", RankBy::kLabel}})},
      {"relevance_quantile", number(&O::relevance_quantile, 0, 0.99)},
      {"relevance_scale", number(&O::relevance_scale, 0.1, 30)},
      {"rate", number(&O::learning_rate, 0, 1)},
      {"weight_decay", number(&O::weight_decay, 0, 10)},
      {"iterations", number(&O::iterations_per_update, 0, 1e6)},
      {"warm_up", number(&O::warm_up_iterations, 0, 1e6)},
      {"warm_up_rate", number(&O::warm_up_learning_rate, 0, 1)},
      {"batch", number(&O::tasks_per_iteration, 1, 1000)},
      {"batch_results", number(&O::results_per_iteration, 2, 10000)},
      {"offline_share", number(&O::offline_share, 0, 1e6)},
      {"past_share", number(&O::past_share, 0, 1e6)},
      {"current_share", number(&O::current_share, 0, 1e6)},
      {"dropout", number(&O::dropout, 0, 0.9)},
      {"images", word(&O::images, {{"on", true}, {"off", false}})},
      {"numbers", word(&O::numbers, {{"on", true}, {"off", false}})},
      {"deviations", word(&O::deviations, {{"on", true}, {"off", false}})},
      {"deviation_penalty", number(&O::deviation_penalty, 0, 1e6)},
      {"image_penalty", number(&O::image_penalty, 0, 1e6)},
      {"extractor", word(&O::train_extractor, {{"trained", true}, {"frozen", false}})},
      {"attention", word(&O::attention, {{"on", true}, {"off", false}})},
      {"triplet", number(&O::triplet_weight, 0, 1e6)},
      {"margin", number(&O::triplet_margin, 0, 1e6)},
      {"si", number(&O::si_weight, 0, 1e9)},
      {"z", word(&O::transformation, {{"none", TransformationKind::kNone},
                                      {"sgd", TransformationKind::kSgd},
                                      {"closed_form", TransformationKind::kClosedForm},
                                      {"oracle", TransformationKind::kOracle}})},
      {"z_steps", number(&O::transformation_steps, 0, 10000)},
      {"z_rate", number(&O::transformation_learning_rate, 0, 1)},
      {"z_interval", number(&O::transformation_interval, 1, 10000)},
      {"fit_results", number(&O::fit_results, 2, 1000)},
  };
  return table;
}

}  // namespace

RankerOptions paper_options() {
  RankerOptions options;
  options.effects = false;
  options.relevance_scale = 20;
  options.learning_rate = 1e-4;
  options.iterations_per_update = 50;
  options.warm_up_learning_rate = 1e-3;
  options.deviations = false;
  options.image_penalty = 0;
  options.transformation = TransformationKind::kSgd;
  options.transformation_interval = 1;
  return options;
}

RankerOptions parse_ranker_options(const std::map<std::string, std::string>& values, RankerOptions defaults) {
  for (const auto& [key, text] : values) {
    const auto option = option_table().find(key);
    if (option == option_table().end()) throw InputError(unknown_name_message("option", key, ranker_option_names()));
    try {
      option->second.set(defaults, text);
    } catch (const InputError& error) {
      throw InputError(key + ": " + error.what());
    }
  }
  return defaults;
}

std::vector<std::string> ranker_option_names() {
  std::vector<std::string> names;
  for (const auto& entry : option_table()) names.push_back(entry.first);
  return names;
}

std::map<std::string, std::string> ranker_option_values(const RankerOptions& options) {
  std::map<std::string, std::string> values;
  for (const auto& [name, option] : option_table()) values[name] = option.get(options);
  return values;
}

}  // namespace hyperfd
