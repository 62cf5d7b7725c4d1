#include "tuner/space/choice.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "tuner/base/names.h"
#include "tuner/space/search_space.h"

namespace hyperfd {
namespace {

// A longer list shares positions between neighbours, so that a long list of file names cannot blow up the ranker's
// input.
constexpr std::size_t kMaxOneHot = 256;

bool is_branch(const Json& option) {
  return option.is_object() && option.contains("_name");
}

}  // namespace

std::unique_ptr<Dimension> make_choice(const DimensionSource& source) {
  if (source.value.empty()) source.path.fail("expected at least one choice, got []");
  if (std::any_of(source.value.begin(), source.value.end(), is_branch)) return std::make_unique<NestedChoice>(source);
  return std::make_unique<FlatChoice>(source);
}

FlatChoice::FlatChoice(const DimensionSource& source) {
  for (const Json& value : source.value) {
    const Path path(source.path, draws_.size());
    count_option(source.options_left, path);
    if (value.is_number() && !std::isfinite(value.get<double>())) path.fail("expected a finite number");
    const auto [entry, is_new] = by_key_.emplace(configuration_key(value), options_.size());
    if (is_new) options_.push_back({value, 0, 0});
    draws_.push_back(entry->second);
    is_numeric_ = is_numeric_ && value.is_number();
  }
  one_hot_size_ = std::min(options_.size(), kMaxOneHot);
  sort_options();
  if (is_numeric_) normalise_options();
}

void FlatChoice::sort_options() {
  std::vector<std::size_t> order(options_.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::vector<std::string> texts;
  for (const Option& option : options_) texts.push_back(fingerprint(option.value));
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    if (is_numeric_) return options_[a].value < options_[b].value;
    return texts[a] < texts[b];
  });
  for (std::size_t position = 0; position < order.size(); ++position) options_[order[position]].position = position;
}

void FlatChoice::normalise_options() {
  std::vector<double> values;
  for (const Option& option : options_) values.push_back(option.value.get<double>());
  double low = *std::min_element(values.begin(), values.end());
  double high = *std::max_element(values.begin(), values.end());
  if (low > 0 && high / low >= 10) {
    for (double& value : values) value = std::log(value);
    low = std::log(low);
    high = std::log(high);
  }
  const double range = high / 2 - low / 2;  // halves, as the difference of two large numbers overflows
  for (std::size_t i = 0; i < values.size(); ++i) {
    options_[i].normalised = range > 0 ? static_cast<float>((values[i] / 2 - low / 2) / range) : 0.0f;
  }
}

const FlatChoice::Option& FlatChoice::find(const Json& value, const Path& path) const {
  const auto found = by_key_.find(configuration_key(value));
  if (found == by_key_.end()) {
    Json known = Json::array();
    for (std::size_t i = 0; i < std::min<std::size_t>(options_.size(), 20); ++i) known.push_back(options_[i].value);
    path.fail("expected one of " + brief(known) + ", got " + brief(value));
  }
  return options_[found->second];
}

Json FlatChoice::sample(Rng& rng) const {
  return options_[draws_[rng.below(draws_.size())]].value;
}

Json FlatChoice::mutate(const Json& value, std::size_t, Rng& rng, double) const {
  const auto old = static_cast<std::size_t>(&find(value, Path("configuration")) - options_.data());
  const std::size_t other = rng.below(options_.size() - 1);
  return options_[other < old ? other : other + 1].value;
}

void FlatChoice::check(const Json& value, const Path& path) const {
  find(value, path);
}

void FlatChoice::encode(const Json& value, const Path& path, float* out) const {
  const Option& option = find(value, path);
  out[option.position * one_hot_size_ / options_.size()] = 1;
  if (is_numeric_) out[one_hot_size_] = option.normalised;
}

void FlatChoice::describe_encoding(std::ptrdiff_t mask, EncodingColumns& columns) const {
  add_feature(columns, one_hot_size_, mask);
  if (!is_numeric_) return;
  add_feature(columns, 1, mask);
  columns.back().repeats = true;
}

Json FlatChoice::canonical() const {
  Json sorted = Json::array();
  sorted.get_ref<Json::array_t&>().resize(options_.size());
  for (const Option& option : options_) sorted[option.position] = option.value;
  return {{"choice", sorted}};
}

NestedChoice::NestedChoice(const DimensionSource& source) {
  for (const Json& option : source.value) {
    const Path path(source.path, branches_.size());
    count_option(source.options_left, path);
    if (!is_branch(option)) path.fail("expected an object with \"_name\" like the other choices, got " + brief(option));
    const Path name_path(path, "_name");
    const Json& name = option["_name"];
    if (!name.is_string()) name_path.fail("expected a string, got " + brief(name));
    for (const Branch& branch : branches_) {
      if (branch.name == name) name_path.fail(brief(name) + " appears twice");
    }
    branches_.push_back({name.get<std::string>(), Group(option, true, path, source.options_left), 0, 0});
  }

  std::vector<Branch*> sorted;
  for (Branch& branch : branches_) sorted.push_back(&branch);
  std::sort(sorted.begin(), sorted.end(), [](const Branch* a, const Branch* b) { return a->name < b->name; });
  encoding_size_ = branches_.size();
  for (std::size_t position = 0; position < sorted.size(); ++position) {
    sorted[position]->position = position;
    sorted[position]->offset = encoding_size_;
    encoding_size_ += sorted[position]->group.encoding_size();
  }
}

Count NestedChoice::size() const {
  Count total = 0;
  for (const Branch& branch : branches_) total = sum(total, branch.group.size());
  return total;
}

Json NestedChoice::at(std::uint64_t index) const {
  auto branch = branches_.begin();
  while (index >= *branch->group.size()) {
    index -= *branch->group.size();
    ++branch;
  }
  Json value = {{"_name", branch->name}};
  branch->group.at(index, value);
  return value;
}

Json NestedChoice::sample(Rng& rng) const {
  const Branch& branch = branches_[rng.below(branches_.size())];
  Json value = {{"_name", branch.name}};
  branch.group.sample(rng, value);
  return value;
}

std::size_t NestedChoice::mutable_parts(const Json& value) const {
  return (branches_.size() > 1 ? 1 : 0) + find(value, Path("configuration")).group.mutable_parts(value);
}

Json NestedChoice::mutate(const Json& value, std::size_t part, Rng& rng, double reach) const {
  const Branch& old = find(value, Path("configuration"));
  const bool may_switch = branches_.size() > 1;
  if (!may_switch || part > 0) {
    Json changed = value;
    old.group.mutate(changed, part - (may_switch ? 1 : 0), rng, reach);
    return changed;
  }
  const std::size_t other = rng.below(branches_.size() - 1);
  const Branch& branch = branches_[other < static_cast<std::size_t>(&old - branches_.data()) ? other : other + 1];
  Json changed = {{"_name", branch.name}};
  branch.group.adopt(value, rng, changed);
  return changed;
}

const NestedChoice::Branch& NestedChoice::find(const Json& value, const Path& path) const {
  if (!is_branch(value)) path.fail("expected an object with \"_name\", got " + brief(value));
  std::vector<std::string> known;
  for (const Branch& branch : branches_) {
    if (branch.name == value["_name"]) return branch;
    known.push_back(branch.name);
  }
  const Path name_path(path, "_name");
  if (!value["_name"].is_string()) name_path.fail("expected a string, got " + brief(value["_name"]));
  name_path.fail(unknown_name_message("choice", value["_name"].get<std::string>(), known));
}

void NestedChoice::check(const Json& value, const Path& path) const {
  find(value, path).group.check(value, path);
}

void NestedChoice::encode(const Json& value, const Path& path, float* out) const {
  const Branch& branch = find(value, path);
  out[branch.position] = 1;
  branch.group.encode(value, path, out + branch.offset);
}

void NestedChoice::describe_encoding(std::ptrdiff_t mask, EncodingColumns& columns) const {
  const auto first = static_cast<std::ptrdiff_t>(columns.size());
  add_feature(columns, branches_.size(), mask);
  std::vector<const Group*> groups(branches_.size());
  for (const Branch& branch : branches_) groups[branch.position] = &branch.group;
  for (std::size_t i = 0; i < groups.size(); ++i) {
    groups[i]->describe_encoding(first + static_cast<std::ptrdiff_t>(i), columns);
  }
}

Json NestedChoice::canonical() const {
  Json object = Json::object();
  for (const Branch& branch : branches_) object[branch.name] = branch.group.canonical();
  return {{"nested choice", object}};
}

}  // namespace hyperfd
