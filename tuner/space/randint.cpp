#include "tuner/space/randint.h"

#include <algorithm>
#include <cmath>

namespace hyperfd {
namespace {

constexpr double kLargest = 0x1.0p53;  // NNI takes bounds through a double; larger ones would change silently

}  // namespace

std::unique_ptr<Dimension> make_randint(const DimensionSource& source) {
  const std::vector<double> bounds = parse_numbers(source, {"low", "high"});
  for (std::size_t i = 0; i < bounds.size(); ++i) {
    if (bounds[i] != std::floor(bounds[i]) || std::abs(bounds[i]) > kLargest) {
      Path(source.path, i).fail("expected an integer of at most 2^53, got " + brief(source.value[i]));
    }
  }
  if (bounds[0] >= bounds[1]) {
    source.path.fail("expected low < high (high itself is never drawn), got " + brief(source.value));
  }
  return std::make_unique<Randint>(static_cast<std::int64_t>(bounds[0]), static_cast<std::int64_t>(bounds[1]));
}

// Up to a tenth of the range, times `reach`, away, at least one.
Json Randint::mutate(const Json& value, std::size_t, Rng& rng, double reach) const {
  const auto farthest = std::max<std::int64_t>(static_cast<std::int64_t>(reach * static_cast<double>(*size() / 10)), 1);
  const auto old = value.get<std::int64_t>();
  const std::int64_t first = std::max(low_, old - farthest), last = std::min(high_ - 1, old + farthest);
  const std::int64_t other = first + static_cast<std::int64_t>(rng.below(static_cast<std::uint64_t>(last - first)));
  return other < old ? other : other + 1;
}

void Randint::check(const Json& value, const Path& path) const {
  const double number = value.is_number() ? value.get<double>() : std::nan("");
  if (!(number >= static_cast<double>(low_) && number < static_cast<double>(high_) && number == std::floor(number))) {
    path.fail("expected an integer of [" + std::to_string(low_) + ", " + std::to_string(high_) + "), got " +
              brief(value));
  }
}

void Randint::encode(const Json& value, const Path& path, float* out) const {
  check(value, path);
  const double span = static_cast<double>(high_ - 1 - low_);
  *out = span > 0 ? static_cast<float>((value.get<double>() - static_cast<double>(low_)) / span) : 0.0f;
}

}  // namespace hyperfd
