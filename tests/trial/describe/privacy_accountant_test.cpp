#include "trial/describe/privacy_accountant.h"

#include <cmath>

#include <gtest/gtest.h>

#include "tests/message_of.h"
#include "tuner/base/json.h"

namespace hyperfd {
namespace {

PrivacyAccountant accountant_of(const Json& mechanisms) {
  PrivacyAccountant accountant;
  for (const Json& mechanism : mechanisms) {
    accountant.add_gaussian(mechanism[0].get<double>(), mechanism[1].get<std::int64_t>());
  }
  return accountant;
}

Json golden() {
  return load_json_or_yaml(HYPERFD_SOURCE_DIR "/tests/trial/describe/privacy_golden.json");
}

TEST(PrivacyAccountant, AgreesWithDpAccounting) {
  for (const Json& example : golden()) {
    const double expected = example["epsilon"].get<double>();
    const double epsilon = accountant_of(example["mechanisms"]).epsilon(example["delta"].get<double>());
    EXPECT_NEAR(epsilon, expected, 0.01 * expected) << example;
  }
}

// Gaussian mechanisms compose to one whose exact δ(ε) is known (Balle and Wang 2018).
double exact_delta(const Json& mechanisms, double epsilon) {
  double squares = 0;
  for (const Json& mechanism : mechanisms)
    squares += mechanism[1].get<double>() / std::pow(mechanism[0].get<double>(), 2);
  const double mu = std::sqrt(squares);
  const auto normal = [](double x) { return std::erfc(-x / std::sqrt(2.0)) / 2; };
  return normal(mu / 2 - epsilon / mu) - std::exp(epsilon) * normal(-mu / 2 - epsilon / mu);
}

TEST(PrivacyAccountant, NeverPromisesMoreThanIsTrue) {
  for (const Json& example : golden()) {
    const double delta = example["delta"].get<double>();
    const double epsilon = accountant_of(example["mechanisms"]).epsilon(delta);
    if (epsilon > 300) continue;  // its exponential is too large
    EXPECT_LE(exact_delta(example["mechanisms"], epsilon), delta * 1.001) << example;
  }
}

TEST(PrivacyAccountant, FindsTheLeastNoiseForABudget) {
  for (const double epsilon : {0.5, 1.0, 4.0, 16.0}) {
    const double multiplier = noise_multiplier_for(epsilon, 1e-5, 4);
    PrivacyAccountant enough, too_little;
    enough.add_gaussian(multiplier, 4);
    too_little.add_gaussian(multiplier / 1.002, 4);
    EXPECT_LE(enough.epsilon(1e-5), epsilon);
    EXPECT_GT(too_little.epsilon(1e-5), epsilon);
  }
}

TEST(PrivacyAccountant, NothingCostsNothing) {
  EXPECT_EQ(PrivacyAccountant().epsilon(1e-5), 0);
}

TEST(PrivacyAccountant, RefusesWhatIsNoBudget) {
  EXPECT_THROW(PrivacyAccountant().add_gaussian(0), InputError);
  EXPECT_THROW(PrivacyAccountant().epsilon(1), InputError);
  EXPECT_THROW(noise_multiplier_for(-1, 1e-5, 1), InputError);
  EXPECT_THROW(noise_multiplier_for(1, 1e-5, 0), InputError);
}

}  // namespace
}  // namespace hyperfd
