// Draws are compared with the closed-form distribution functions of NNI's types.
#include <algorithm>
#include <cmath>
#include <functional>
#include <map>

#include <gtest/gtest.h>

#include "tuner/space/search_space.h"

namespace hyperfd {
namespace {

constexpr int kDraws = 20000;

double normal_cdf(double x) {
  return 0.5 * std::erfc(-x / std::sqrt(2.0));
}

std::vector<double> draw(const std::string& type, const Json& value) {
  const auto space = SearchSpace::parse({{"x", {{"_type", type}, {"_value", value}}}});
  Rng rng(17);
  std::vector<double> draws;
  for (int i = 0; i < kDraws; ++i) {
    const Configuration configuration = space.sample(rng);
    space.check(configuration);
    draws.push_back(configuration["x"].get<double>());
  }
  std::sort(draws.begin(), draws.end());
  return draws;
}

// Largest distance of the empirical from the given distribution function; `cdf` is right-continuous.
double kolmogorov_smirnov(const std::vector<double>& sorted, const std::function<double(double)>& cdf) {
  double largest = 0;
  for (std::size_t i = 0; i < sorted.size();) {
    std::size_t end = i;
    while (end < sorted.size() && sorted[end] == sorted[i]) ++end;  // at a jump, compare after it
    largest = std::max(largest, std::abs(cdf(sorted[i]) - static_cast<double>(end) / kDraws));
    i = end;
  }
  return largest;
}

// The chance of exceeding this by a correct sampler is 1e-6: sqrt(ln(2 / 1e-6) / 2) / sqrt(n).
const double kLimit = std::sqrt(std::log(2e6) / 2) / std::sqrt(static_cast<double>(kDraws));

TEST(SampleDistribution, Uniform) {
  EXPECT_LT(kolmogorov_smirnov(draw("uniform", {-2, 3}), [](double x) { return (x + 2) / 5; }), kLimit);
}

TEST(SampleDistribution, LogUniform) {
  const auto cdf = [](double x) { return std::log(x / 1e-4) / std::log(1e3); };
  EXPECT_LT(kolmogorov_smirnov(draw("loguniform", {1e-4, 0.1}), cdf), kLimit);
}

TEST(SampleDistribution, Normal) {
  const auto cdf = [](double x) { return normal_cdf((x - 10) / 2); };
  EXPECT_LT(kolmogorov_smirnov(draw("normal", {10, 2}), cdf), kLimit);
}

TEST(SampleDistribution, LogNormal) {
  const auto cdf = [](double x) { return normal_cdf((std::log(x) - 1) / 0.5); };
  EXPECT_LT(kolmogorov_smirnov(draw("lognormal", {1, 0.5}), cdf), kLimit);
}

TEST(SampleDistribution, QUniformRoundsAndClips) {
  // round(u / 2) · 2 for u in [1, 10): 2, 4, 6, 8 have width 2 (2 starts at 1) and 10 has what is left above 9.
  const auto cdf = [](double x) { return x >= 10 ? 1.0 : (x + 1 - 1) / 9; };
  EXPECT_LT(kolmogorov_smirnov(draw("quniform", {1, 10, 2}), cdf), kLimit);
}

TEST(SampleDistribution, QLogUniformTurnsZeroIntoTheLowerBound) {
  const auto draws = draw("qloguniform", {0.1, 20, 1});
  EXPECT_EQ(draws.front(), 0.1);
  const auto cdf = [](double x) { return x >= 20 ? 1.0 : std::log((std::floor(x) + 0.5) / 0.1) / std::log(200.0); };
  EXPECT_LT(kolmogorov_smirnov(draws, cdf), kLimit);
}

TEST(SampleDistribution, QNormal) {
  const auto cdf = [](double x) { return normal_cdf((x + 0.25 - 1) / 2); };
  EXPECT_LT(kolmogorov_smirnov(draw("qnormal", {1, 2, 0.5}), cdf), kLimit);
}

TEST(SampleDistribution, QLogNormal) {
  const auto cdf = [](double x) { return normal_cdf(std::log(x + 0.5)); };
  EXPECT_LT(kolmogorov_smirnov(draw("qlognormal", {0, 1, 1}), cdf), kLimit);
}

TEST(SampleDistribution, RandintIsEvenAndExcludesItsUpperBound) {
  std::map<double, int> counts;
  for (const double value : draw("randint", {-3, 5})) ++counts[value];
  ASSERT_EQ(counts.size(), 8u);
  double chi_squared = 0;
  for (const auto& [value, count] : counts) chi_squared += std::pow(count - kDraws / 8.0, 2) / (kDraws / 8.0);
  EXPECT_LT(chi_squared, 40.5);  // χ² with 7 degrees of freedom, 1e-6
}

TEST(SampleDistribution, BranchesAreEvenWhateverTheirSize) {
  const auto space = SearchSpace::parse(parse_json(
      R"({"l": {"_type": "choice", "_value": [{"_name": "big", "n": {"_type": "randint", "_value": [0, 99]}},
                                              {"_name": "small"}]}})",
      "space"));
  Rng rng(23);
  int small = 0;
  for (int i = 0; i < kDraws; ++i) small += space.sample(rng)["l"]["_name"] == "small";
  EXPECT_NEAR(small, kDraws / 2, 5 * std::sqrt(kDraws / 4.0));
}

TEST(SampleDistribution, QuantisedValuesAreNnisToTheBit) {
  // round(u / 0.1) · 0.1 in double, as NNI computes it.
  const auto space = SearchSpace::parse({{"x", {{"_type", "quniform"}, {"_value", {0, 1, 0.1}}}}});
  ASSERT_EQ(space.size(), 11u);
  EXPECT_EQ(space.at(3).dump(), R"({"x":0.30000000000000004})");
  EXPECT_EQ(space.at(10).dump(), R"({"x":1.0})");
  space.check({{"x", 0.3}});
}

TEST(SampleDistribution, ZeroHasNoSign) {
  for (const double value : draw("qnormal", {0, 1, 1})) EXPECT_FALSE(value == 0 && std::signbit(value));
}

TEST(SampleDistribution, OnlyReachableMultiplesAreCounted) {
  const auto size = [](const Json& value) {
    return SearchSpace::parse({{"x", {{"_type", "quniform"}, {"_value", value}}}}).size();
  };
  EXPECT_EQ(size({0.5, 2.5, 1}), 2u);  // 1 and 2; the ends of the range are ties of probability zero
  EXPECT_EQ(size({0.3, 2.7, 1}), 4u);  // 0.3 (clipped 0), 1, 2, 2.7 (clipped 3)
  EXPECT_EQ(size({1, 1.2, 10}), 1u);   // 0, clipped to 1
  EXPECT_EQ(size({0.15, 0.55, 0.1}), 4u);
}

}  // namespace
}  // namespace hyperfd
