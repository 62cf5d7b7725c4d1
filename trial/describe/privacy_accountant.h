#pragma once

#include <cstdint>

namespace hyperfd {

// Sums what Gaussian mechanisms on the same data disclose, as Rényi differential privacy (Mironov 2017): noise of σ
// times the L2 sensitivity costs α/(2σ²) at every order α > 1. Converted to (ε, δ) by Proposition 12 of Canonne, Kamath
// and Steinke (2020), as dp-accounting does.
class PrivacyAccountant {
 public:
  // `noise_multiplier` is σ > 0. Throws InputError.
  void add_gaussian(double noise_multiplier, std::int64_t times = 1);

  // The smallest ε for which everything added is (ε, δ)-differentially private; 0 < δ < 1.
  double epsilon(double delta) const;

 private:
  double cost_ = 0;  // at order 1: Σ 1/(2σ²)
};

// The least noise, as σ, with which so many releases stay within (ε, δ), to 0.1 %. Throws InputError.
double noise_multiplier_for(double epsilon, double delta, std::int64_t releases);

}  // namespace hyperfd
