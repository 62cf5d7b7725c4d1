#include "tuner/platform/untaken.h"

#include <utility>

namespace hyperfd {
namespace {

// A draw that repeats this often says that little is left, so that looking for the rest is cheaper than trying on.
constexpr int kMaxRejections = 200;

}  // namespace

Untaken::Untaken(const SearchSpace& space, const ConfigurationKeys& taken, const Annotation& annotation)
    : space_(space), annotation_(annotation), sampler_(space, annotation), taken_before_(taken) {}

bool Untaken::take(const Configuration& configuration) {
  return !annotation_.find_violated(configuration) && take_feasible(configuration);
}

bool Untaken::take_feasible(const Configuration& configuration) {
  const ConfigurationKey key = configuration_key(configuration);
  return !taken_before_.contains(key) && taken_now_.insert(key);
}

std::optional<Configuration> Untaken::draw(Rng& rng) {
  for (int i = 0; i < kMaxRejections; ++i) {
    Configuration configuration = sampler_.draw(rng);
    if (take_feasible(configuration)) return configuration;
  }
  return annotation_.constraints().empty() ? draw_from_rest(rng) : draw_from_feasible_rest(rng);
}

std::optional<Configuration> Untaken::draw_from_rest(Rng& rng) {
  const auto size = space_.size();
  if (!size) return std::nullopt;
  // From a random place on, at most as many configurations as are taken come before one that is not.
  const std::uint64_t start = rng.below(*size);
  std::uint64_t steps = taken_before_.size() + taken_now_.size() + 1;
  if (steps > *size) steps = *size;
  for (std::uint64_t step = 0; step < steps; ++step) {
    const std::uint64_t to_end = *size - start;
    Configuration configuration = space_.at(step < to_end ? start + step : step - to_end);
    if (take_feasible(configuration)) return configuration;
  }
  return std::nullopt;
}

std::optional<Configuration> Untaken::draw_from_feasible_rest(Rng& rng) {
  if (!sampler_.can_enumerate()) return std::nullopt;
  std::vector<std::uint64_t> rest = sampler_.feasible();
  while (!rest.empty()) {
    std::swap(rest[rng.below(rest.size())], rest.back());
    Configuration configuration = space_.at(rest.back());
    if (take_feasible(configuration)) return configuration;
    rest.pop_back();
  }
  return std::nullopt;
}

std::vector<Configuration> Untaken::enumerate() const {
  std::vector<Configuration> rest;
  for (std::uint64_t index = 0; index < *space_.size(); ++index) {
    Configuration configuration = space_.at(index);
    if (annotation_.find_violated(configuration)) continue;
    const ConfigurationKey key = configuration_key(configuration);
    if (!taken_before_.contains(key) && !taken_now_.contains(key)) rest.push_back(std::move(configuration));
  }
  return rest;
}

}  // namespace hyperfd
