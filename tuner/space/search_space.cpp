#include "tuner/space/search_space.h"

#include <stdexcept>
#include <utility>

#include "tuner/base/digest.h"
#include "tuner/base/error.h"
#include "tuner/space/group.h"

namespace hyperfd {
namespace {

// Far above any space that a person writes, far below what would make the ranker's input or an answer unwieldy.
constexpr std::size_t kMaxOptions = 20000;
constexpr int kMaxDepth = 64;

void check_depth(const Json& value, int depth) {
  if (depth > kMaxDepth) {
    throw InputError("search space: nested deeper than " + std::to_string(kMaxDepth) + " levels");
  }
  if (!value.is_structured()) return;
  for (const Json& element : value) check_depth(element, depth + 1);
}

// Names and choices come back to the trial as JSON, which is UTF-8.
void check_text(const Json& definition) {
  try {
    definition.dump();
  } catch (const Json::exception&) {
    throw InputError("search space: contains text that is not UTF-8: " + brief(definition));
  }
}

}  // namespace

struct SearchSpace::Impl {
  Json definition;
  std::shared_ptr<const Group> group;
  std::string signature;
  std::string identity;
  Count size;
  // Of only(): its points, and their keys.
  bool is_part = false;
  std::vector<Configuration> points = {};
  ConfigurationKeys keys = {};
};

SearchSpace::SearchSpace(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
SearchSpace::SearchSpace(SearchSpace&&) noexcept = default;
SearchSpace& SearchSpace::operator=(SearchSpace&&) noexcept = default;
SearchSpace::~SearchSpace() = default;

SearchSpace SearchSpace::parse(const Json& definition) {
  check_depth(definition, 0);
  check_text(definition);
  std::size_t options_left = kMaxOptions;
  Group group(definition, false, Path("search space"), options_left);
  std::string signature = sha256(fingerprint(group.canonical()));
  const Count size = group.size();
  return SearchSpace(std::make_unique<Impl>(Impl{definition, std::make_shared<const Group>(std::move(group)),
                                                 std::move(signature), sha256(definition.dump()), size}));
}

SearchSpace SearchSpace::only(std::vector<Configuration> points) const {
  if (points.empty()) throw InputError("configurations: expected one or more points, got none");
  Impl part{impl_->definition, impl_->group, impl_->signature, impl_->identity, points.size(), true, std::move(points)};
  for (const Configuration& point : part.points) {
    check(point);
    part.identity += "\n" + fingerprint(point);
    if (!part.keys.insert(configuration_key(point))) {
      throw InputError("configuration: " + brief(point) + " comes twice");
    }
  }
  part.identity = sha256(part.identity);
  return SearchSpace(std::make_unique<Impl>(std::move(part)));
}

SearchSpace SearchSpace::load(const std::string& file) {
  const Json definition = load_json_or_yaml(file, YamlScalars::kAsNni);
  try {
    return parse(definition);
  } catch (const InputError& error) {
    throw InputError(file + ": " + error.what());
  }
}

const Json& SearchSpace::definition() const {
  return impl_->definition;
}
const std::string& SearchSpace::signature() const {
  return impl_->signature;
}
const std::string& SearchSpace::identity() const {
  return impl_->identity;
}
std::optional<std::uint64_t> SearchSpace::size() const {
  return impl_->size;
}

Configuration SearchSpace::at(std::uint64_t index) const {
  if (!impl_->size || index >= *impl_->size) {
    throw std::out_of_range("configuration " + std::to_string(index) + " of a space of " +
                            (impl_->size ? std::to_string(*impl_->size) : "infinitely many"));
  }
  if (impl_->is_part) return impl_->points[index];
  Configuration configuration = Json::object();
  impl_->group->at(index, configuration);
  return configuration;
}

Configuration SearchSpace::sample(Rng& rng) const {
  if (impl_->is_part) return impl_->points.at(rng.below(impl_->points.size()));
  Configuration configuration = Json::object();
  impl_->group->sample(rng, configuration);
  return configuration;
}

Configuration SearchSpace::mutate(const Configuration& configuration, Rng& rng, double reach) const {
  Configuration changed = configuration;
  const std::size_t parts = impl_->group->mutable_parts(changed);
  if (parts > 0) impl_->group->mutate(changed, rng.below(parts), rng, reach);
  if (impl_->is_part && !impl_->keys.contains(configuration_key(changed))) return sample(rng);
  return changed;
}

void SearchSpace::check(const Configuration& configuration) const {
  impl_->group->check(configuration, Path("configuration"));
  if (impl_->is_part && !impl_->keys.contains(configuration_key(configuration))) {
    throw InputError("configuration: " + brief(configuration) + " is not one of the " +
                     std::to_string(impl_->points.size()) + " of this part of the space");
  }
}

std::size_t SearchSpace::encoding_size() const {
  return impl_->group->encoding_size();
}

EncodingColumns SearchSpace::encoding_columns() const {
  EncodingColumns columns;
  impl_->group->describe_encoding(-1, columns);
  return columns;
}

std::vector<float> SearchSpace::encode(const Configuration& configuration) const {
  std::vector<float> encoding(encoding_size());
  impl_->group->encode(configuration, Path("configuration"), encoding.data());
  return encoding;
}

}  // namespace hyperfd
