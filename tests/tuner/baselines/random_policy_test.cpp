#include <string>
#include <unordered_set>

#include <gtest/gtest.h>

#include "tuner/base/error.h"
#include "tuner/platform/selection_policy.h"

namespace hyperfd {
namespace {

// Asks for `count` at a time until nothing comes; the number of suggestions. Fails when one comes twice.
std::size_t exhaust(const SearchSpace& space, std::size_t count, std::size_t limit) {
  const auto policy = make_policy("random");
  ConfigurationKeys taken;
  std::size_t suggestions = 0;
  Rng rng(7);
  while (suggestions < limit) {
    const auto more = policy->suggest({space, {}, taken, nullptr}, count, rng);
    suggestions += more.size();
    for (const Configuration& configuration : more) {
      space.check(configuration);
      EXPECT_TRUE(taken.insert(configuration_key(configuration))) << configuration;
    }
    if (more.size() < count) break;
  }
  return suggestions;
}

TEST(RandomPolicy, GivesEveryConfigurationOfASmallSpaceOnce) {
  const auto space = SearchSpace::load(HYPERFD_SOURCE_DIR "/search_spaces/hpo.yaml");
  for (const std::size_t count : {1u, 7u}) EXPECT_EQ(exhaust(space, count, 1000), 216u);
}

TEST(RandomPolicy, ExhaustsASpaceWithRareConfigurations) {
  // A multiple near the upper bound comes once in ~100,000 draws, so rejection alone would not end.
  const auto space =
      SearchSpace::parse(parse_json(R"({"n": {"_type": "qloguniform", "_value": [1, 100000000, 20000]}})", "space"));
  EXPECT_EQ(exhaust(space, 1000, 10000), *space.size());
}

TEST(RandomPolicy, EndsWhenAnUnboundedSpaceOnlyRepeatsItself) {
  const auto space =
      SearchSpace::parse(parse_json(R"({"n": {"_type": "qnormal", "_value": [0, 0.1, 1000]}})", "space"));
  EXPECT_EQ(exhaust(space, 1, 10), 1u);
}

TEST(RandomPolicy, IsEvenOverWhatIsLeft) {
  const auto space = SearchSpace::parse(parse_json(R"({"n": {"_type": "randint", "_value": [0, 10]}})", "space"));
  ConfigurationKeys taken;
  for (std::uint64_t i = 0; i < 5; ++i) taken.insert(configuration_key(space.at(i)));
  const auto policy = make_policy("random");
  Rng rng(9);
  std::vector<int> counts(10);
  for (int i = 0; i < 5000; ++i) {
    ++counts[policy->suggest({space, {}, taken, nullptr}, 1, rng).at(0)["n"].get<std::size_t>()];
  }
  for (std::size_t n = 0; n < 5; ++n) EXPECT_EQ(counts[n], 0);
  for (std::size_t n = 5; n < 10; ++n) EXPECT_NEAR(counts[n], 1000, 150);  // 5 standard deviations
}

TEST(MakePolicy, SuggestsTheNearestName) {
  EXPECT_THROW(
      try { make_policy("randon"); } catch (const InputError& error) {
        EXPECT_STREQ(error.what(), R"(unknown policy "randon"; did you mean "random"?)");
        throw;
      },
      InputError);
  for (const std::string& name : policy_names()) EXPECT_NE(make_policy(name), nullptr);
}

}  // namespace
}  // namespace hyperfd
