#include "tuner/space/real.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <utility>

namespace hyperfd {
namespace {

// Multiples of a step are exact doubles only up to here.
constexpr double kMostMultiples = 0x1.0p53;
// No draw of Rng::normal() is further out: its radius is √(−2 ln s) with s ≥ 2^−106.
constexpr double kFarthestNormal = 13;

bool has_step(const std::string& type) {
  return type[0] == 'q';
}
bool is_log_type(const std::string& type) {
  return type.find("log") != std::string::npos;
}

std::vector<std::string> with_step(const std::string& type, std::vector<std::string> names) {
  if (has_step(type)) names.push_back("q");
  return names;
}

// `largest`: the greatest magnitude that a value can have before rounding.
std::optional<double> parse_step(const DimensionSource& source, const std::vector<double>& numbers, double largest) {
  if (!has_step(source.type)) return std::nullopt;
  const double step = numbers[2];
  if (step <= 0) Path(source.path, 2).fail("expected q > 0, got " + brief(source.value[2]));
  if (largest / step > kMostMultiples) {
    Path(source.path, 2).fail("q is too small for the range of values, got " + brief(source.value));
  }
  return step;
}

std::string number_text(double number) {
  return brief(Json(number));
}

}  // namespace

std::unique_ptr<Dimension> make_uniform(const DimensionSource& source) {
  const std::vector<double> numbers = parse_numbers(source, with_step(source.type, {"low", "high"}));
  const double low = numbers[0], high = numbers[1];
  const bool is_log = is_log_type(source.type);
  if (is_log && low <= 0) {
    Path(source.path, 0).fail("expected low > 0 for " + source.type + ", got " + brief(source.value[0]));
  }
  if (low >= high) source.path.fail("expected low < high, got " + brief(source.value));
  if (!std::isfinite(high - low)) source.path.fail("the range is too wide for a double, got " + brief(source.value));
  const auto step = parse_step(source, numbers, std::max(std::abs(low), std::abs(high)));
  return std::make_unique<Uniform>(source.type, is_log, low, high, step);
}

std::unique_ptr<Dimension> make_normal(const DimensionSource& source) {
  const std::vector<double> numbers = parse_numbers(source, with_step(source.type, {"mu", "sigma"}));
  const double mu = numbers[0], sigma = numbers[1];
  const bool is_log = is_log_type(source.type);
  if (sigma <= 0) Path(source.path, 1).fail("expected sigma > 0, got " + brief(source.value[1]));
  const double farthest = is_log ? std::exp(mu + kFarthestNormal * sigma) : std::abs(mu) + kFarthestNormal * sigma;
  if (!std::isfinite(farthest)) {
    source.path.fail("values would be too large for a double" +
                     std::string(is_log ? " (mu and sigma are of the logarithm)" : "") + ", got " +
                     brief(source.value));
  }
  return std::make_unique<Normal>(source.type, is_log, mu, sigma, parse_step(source, numbers, farthest));
}

Real::Real(std::string type, bool is_log, std::optional<double> step)
    : type_(std::move(type)), is_log_(is_log), step_(step) {}

double Real::value_of(double x) const {
  double value = is_log_ ? std::exp(x) : x;
  if (step_) value = std::nearbyint(value / *step_) * *step_ + 0.0;  // 0, not −0, as NNI
  return clip(value);
}

Json Real::sample(Rng& rng) const {
  return value_of(draw(rng));
}

// A step with a tenth of the spread, times `reach`, as standard deviation, on the scale that is drawn on.
Json Real::mutate(const Json& value, std::size_t, Rng& rng, double reach) const {
  constexpr double kStep = 0.1;
  constexpr int kAttempts = 20;
  const double old = value.get<double>();
  const double x = is_log_ ? std::log(old) : old;  // −∞ for the 0 of a rounded type
  for (int i = 0; i < kAttempts && std::isfinite(x); ++i) {
    const double other = value_of(x + reach * kStep * spread() * rng.normal());
    if (other != old && std::isfinite(other)) return other;
  }
  return sample_other(value, rng);
}

void Real::check(const Json& value, const Path& path) const {
  const double number = value.is_number() ? value.get<double>() : std::nan("");
  bool is_ours = std::isfinite(number) && clip(number) == number && (!is_log_ || number > 0 || (step_ && number == 0));
  if (is_ours && step_) {
    // A multiple of q but for the rounding of whoever wrote it, or one that was clipped to a bound.
    const double multiple = std::nearbyint(number / *step_) * *step_;
    is_ours = std::abs(number - multiple) <= 1e-6 * *step_ || clip(multiple) == number;
  }
  if (!is_ours) path.fail("expected " + expected() + ", got " + brief(value));
}

void Real::encode(const Json& value, const Path& path, float* out) const {
  check(value, path);
  const double number = value.get<double>();
  *out = static_cast<float>(std::clamp(distribution_function(is_log_ ? std::log(number) : number), 0.0, 1.0));
}

Uniform::Uniform(std::string type, bool is_log, double low, double high, std::optional<double> step)
    : Real(std::move(type), is_log, step), low_(low), high_(high), drawn_low_(low), drawn_high_(high) {
  if (is_log) {
    drawn_low_ = std::log(low);
    drawn_high_ = std::log(high);
  }
  if (step) {
    // The multiples that are drawn with a probability above zero: those nearest to some point inside the bounds.
    constexpr double kRounding = 1e-9;  // 0.15 / 0.1 is a little less than 1.5
    first_multiple_ = std::floor(low / *step + 0.5 + kRounding);
    last_multiple_ = std::max(first_multiple_, std::ceil(high / *step - 0.5 - kRounding));
  }
}

Count Uniform::size() const {
  if (!step_) return std::nullopt;
  return static_cast<std::uint64_t>(last_multiple_ - first_multiple_) + 1;
}

Json Uniform::at(std::uint64_t index) const {
  return clip((first_multiple_ + static_cast<double>(index)) * *step_);
}

double Uniform::draw(Rng& rng) const {
  return rng.uniform(drawn_low_, drawn_high_);
}

double Uniform::distribution_function(double x) const {
  return (x - drawn_low_) / (drawn_high_ - drawn_low_);
}

double Uniform::clip(double value) const {
  return std::clamp(value, low_, high_);
}

std::string Uniform::expected() const {
  const std::string range = " of [" + number_text(low_) + ", " + number_text(high_) + "]";
  return step_ ? "a multiple of " + number_text(*step_) + range : "a number" + range;
}

Json Uniform::canonical() const {
  return {{type_, step_ ? Json{low_, high_, *step_} : Json{low_, high_}}};
}

Normal::Normal(std::string type, bool is_log, double mu, double sigma, std::optional<double> step)
    : Real(std::move(type), is_log, step), mu_(mu), sigma_(sigma) {}

Json Normal::at(std::uint64_t) const {
  throw std::logic_error(type_ + " has no enumeration");
}

double Normal::distribution_function(double x) const {
  return 0.5 * std::erfc((mu_ - x) / (sigma_ * std::sqrt(2.0)));
}

std::string Normal::expected() const {
  const std::string sign = is_log_ ? "a positive number" : "a number";
  return step_ ? (is_log_ ? "a multiple of " + number_text(*step_) + " that is not negative"
                          : "a multiple of " + number_text(*step_))
               : sign;
}

Json Normal::canonical() const {
  return {{type_, step_ ? Json{mu_, sigma_, *step_} : Json{mu_, sigma_}}};
}

}  // namespace hyperfd
