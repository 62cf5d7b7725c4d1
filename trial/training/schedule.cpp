#include "trial/training/schedule.h"

#include <algorithm>
#include <cmath>

namespace hyperfd {

double Schedule::factor(double epoch) const {
  if (epoch < options_.warmup_epochs) return 0.1 + 0.9 * epoch / options_.warmup_epochs;
  if (!options_.cosine) return state_.plateau;
  constexpr double kPi = 3.14159265358979323846;
  const double length = std::max(options_.epochs - options_.warmup_epochs, 1e-9);
  const double progress = std::min(1.0, (epoch - options_.warmup_epochs) / length);
  return 0.01 + 0.99 * (1 + std::cos(kPi * progress)) / 2;
}

bool Schedule::validated(double metric) {
  if (metric > state_.best) {
    state_.best = metric;
    state_.stagnant = state_.since_fall = 0;
    return true;
  }
  ++state_.stagnant;
  if (++state_.since_fall >= options_.plateau_patience) {
    state_.plateau *= options_.plateau_factor;
    state_.since_fall = 0;
  }
  return false;
}

}  // namespace hyperfd
