#include "tuner/bench/wilcoxon.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace hyperfd {
namespace {

constexpr std::size_t kExactUpTo = 50;

// Twice the ranks of the magnitudes, so that mean ranks of ties are whole numbers; sorted ascending.
struct Ranked {
  std::vector<std::size_t> doubled;
  std::size_t positive = 0;   // sum over the positive differences
  double tie_correction = 0;  // Σ (t³ − t) over groups of t equal magnitudes
};

Ranked rank(std::vector<double> differences) {
  std::sort(differences.begin(), differences.end(), [](double a, double b) { return std::abs(a) < std::abs(b); });
  Ranked ranked;
  for (std::size_t begin = 0, end = 0; begin < differences.size(); begin = end) {
    while (end < differences.size() && std::abs(differences[end]) == std::abs(differences[begin])) ++end;
    const std::size_t doubled = begin + 1 + end;  // ranks begin + 1 … end
    for (std::size_t i = begin; i < end; ++i) {
      ranked.doubled.push_back(doubled);
      if (differences[i] > 0) ranked.positive += doubled;
    }
    const auto t = static_cast<double>(end - begin);
    ranked.tie_correction += t * t * t - t;
  }
  return ranked;
}

double exact_p(const Ranked& ranked) {
  const std::size_t total = std::accumulate(ranked.doubled.begin(), ranked.doubled.end(), std::size_t{0});
  std::vector<double> probability(total + 1);  // of every sum over the positive
  probability[0] = 1;
  for (const std::size_t rank : ranked.doubled) {
    for (std::size_t sum = total + 1; sum-- > 0;) {
      probability[sum] = (probability[sum] + (sum >= rank ? probability[sum - rank] : 0)) / 2;
    }
  }
  const std::size_t smaller = std::min(ranked.positive, total - ranked.positive);
  const double tail =
      std::accumulate(probability.begin(), probability.begin() + static_cast<std::ptrdiff_t>(smaller) + 1, 0.0);
  return std::min(1.0, 2 * tail);
}

double approximate_p(const Ranked& ranked) {
  const auto n = static_cast<double>(ranked.doubled.size());
  const double mean = n * (n + 1) / 4;
  const double variance = n * (n + 1) * (2 * n + 1) / 24 - ranked.tie_correction / 48;
  const double z = (static_cast<double>(ranked.positive) / 2 - mean) / std::sqrt(variance);
  return std::erfc(std::abs(z) / std::sqrt(2.0));
}

}  // namespace

double wilcoxon_p(const std::vector<double>& differences) {
  std::vector<double> nonzero;
  std::copy_if(differences.begin(), differences.end(), std::back_inserter(nonzero), [](double d) { return d != 0; });
  if (nonzero.empty()) return 1;
  const Ranked ranked = rank(nonzero);
  return nonzero.size() <= kExactUpTo ? exact_p(ranked) : approximate_p(ranked);
}

}  // namespace hyperfd
