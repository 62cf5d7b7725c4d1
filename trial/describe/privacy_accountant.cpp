#include "trial/describe/privacy_accountant.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "tuner/base/error.h"

namespace hyperfd {
namespace {

void check_delta(double delta) {
  if (!(delta > 0 && delta < 1)) throw InputError("delta: expected between 0 and 1, got " + std::to_string(delta));
}

}  // namespace

void PrivacyAccountant::add_gaussian(double noise_multiplier, std::int64_t times) {
  if (!(noise_multiplier > 0) || !std::isfinite(noise_multiplier)) {
    throw InputError("noise multiplier: expected a positive number, got " + std::to_string(noise_multiplier));
  }
  if (times < 0) throw InputError("releases: expected 0 or more, got " + std::to_string(times));
  cost_ += static_cast<double>(times) / (2 * noise_multiplier * noise_multiplier);
}

double PrivacyAccountant::epsilon(double delta) const {
  check_delta(delta);
  if (cost_ == 0) return 0;
  const auto at = [&](double log_excess) {  // of α = 1 + exp(log_excess)
    const double excess = std::exp(log_excess), alpha = 1 + excess;
    return cost_ * alpha + std::log(excess / alpha) - std::log(delta * alpha) / excess;
  };
  // One minimum: what order costs grows with it, what δ leaves falls.
  double low = std::log(1e-9), high = std::log(1e9);
  for (int i = 0; i < 200; ++i) {
    const double left = low + (high - low) / 3, right = high - (high - low) / 3;
    if (at(left) < at(right)) {
      high = right;
    } else {
      low = left;
    }
  }
  return std::max(0.0, at((low + high) / 2));
}

double noise_multiplier_for(double epsilon, double delta, std::int64_t releases) {
  if (!(epsilon > 0) || !std::isfinite(epsilon)) {
    throw InputError("epsilon: expected a positive number, got " + std::to_string(epsilon));
  }
  check_delta(delta);
  if (releases < 1) throw InputError("releases: expected 1 or more, got " + std::to_string(releases));
  const auto is_enough = [&](double multiplier) {
    PrivacyAccountant accountant;
    accountant.add_gaussian(multiplier, releases);
    return accountant.epsilon(delta) <= epsilon;
  };
  double low = 1e-3, high = 1;
  while (!is_enough(high)) high *= 2;
  while (high / low > 1.001) {
    const double middle = std::sqrt(low * high);
    (is_enough(middle) ? high : low) = middle;
  }
  return high;
}

}  // namespace hyperfd
