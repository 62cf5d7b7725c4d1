#include <cmath>
#include <map>
#include <set>

#include <gtest/gtest.h>

#include "tuner/space/search_space.h"

namespace hyperfd {
namespace {

const char* const kSpace = R"({
  "layer": {"_type": "choice", "_value": [
    {"_name": "small", "kernel": {"_type": "choice", "_value": [1, 3, 5]}},
    {"_name": "large", "kernel": {"_type": "choice", "_value": [3, 5, 7]}, "units": {"_type": "randint", "_value": [16, 64]}},
    {"_name": "skip"}]},
  "lr": {"_type": "loguniform", "_value": [0.0001, 0.1]},
  "size": {"_type": "quniform", "_value": [0, 1, 0.25]},
  "noise": {"_type": "qlognormal", "_value": [0, 1, 1]},
  "fixed": {"_type": "choice", "_value": ["only"]}})";

SearchSpace parse(const char* text) {
  return SearchSpace::parse(parse_json(text, "test"));
}

TEST(Mutate, ChangesExactlyOneDimensionAndStaysInTheSpace) {
  const SearchSpace space = parse(kSpace);
  Rng rng(1);
  std::map<std::string, int> changed;
  for (int i = 0; i < 2000; ++i) {
    const Configuration before = space.sample(rng);
    const Configuration after = space.mutate(before, rng);
    space.check(after);
    std::vector<std::string> keys;
    for (const auto& [key, value] : before.items()) {
      if (after[key] != value) keys.push_back(key);
    }
    ASSERT_EQ(keys.size(), 1u) << before << " → " << after;
    std::string what = keys[0];
    if (what == "layer" && before["layer"]["_name"] == after["layer"]["_name"]) what = "inside the layer";
    ++changed[what];
  }
  EXPECT_EQ(changed.size(), 5u);  // layer, inside the layer, lr, size, noise
  EXPECT_EQ(changed.count("fixed"), 0u);
}

TEST(Mutate, AnotherBranchHasItsOwnKeysAndKeepsSharedValues) {
  const SearchSpace space = parse(kSpace);
  Rng rng(2);
  std::set<std::string> reached;
  for (int i = 0; i < 500; ++i) {
    Configuration before = space.sample(rng);
    before["layer"] = {{"_name", "small"}, {"kernel", 5}};
    const Json after = space.mutate(before, rng)["layer"];
    reached.insert(after["_name"].get<std::string>());
    if (after["_name"] == "large") {
      EXPECT_EQ(after["kernel"], 5);  // 5 is a kernel of both
    }
    if (after["_name"] == "skip") {
      EXPECT_EQ(after.size(), 1u);
    }
    before["layer"]["kernel"] = 1;
    const Json other = space.mutate(before, rng)["layer"];
    if (other["_name"] == "large") {
      EXPECT_NE(other["kernel"], 1);
    }
  }
  EXPECT_EQ(reached.size(), 3u);
}

TEST(Mutate, MovesNumbersALittle) {
  const SearchSpace space = parse(R"({"x": {"_type": "uniform", "_value": [0, 1]}})");
  Rng rng(3);
  double sum = 0;
  for (int i = 0; i < 1000; ++i) {
    sum += std::abs(space.mutate({{"x", 0.5}}, rng)["x"].get<double>() - 0.5);
  }
  EXPECT_NEAR(sum / 1000, 0.08, 0.01);  // 0.1 · √(2/π)
}

TEST(Mutate, MovesNumbersLessWithinASmallerReach) {
  const SearchSpace space = parse(R"({"x": {"_type": "uniform", "_value": [0, 1]}})");
  const SearchSpace whole = parse(R"({"n": {"_type": "randint", "_value": [0, 1000]}})");
  Rng rng(6);
  double sum = 0;
  for (int i = 0; i < 1000; ++i) {
    sum += std::abs(space.mutate({{"x", 0.5}}, rng, 0.01)["x"].get<double>() - 0.5);
    EXPECT_EQ(std::abs(whole.mutate({{"n", 500}}, rng, 0.01)["n"].get<int>() - 500), 1);
  }
  EXPECT_NEAR(sum / 1000, 0.0008, 0.0001);
}

TEST(Mutate, StaysInAPartOfASpace) {
  const SearchSpace whole = SearchSpace::load(HYPERFD_SOURCE_DIR "/search_spaces/hpo.yaml");
  std::vector<Configuration> points;
  for (std::uint64_t i = 0; i < 216; i += 7) points.push_back(whole.at(i));
  const SearchSpace part = whole.only(points);
  Rng rng(5);
  for (int i = 0; i < 200; ++i) part.check(part.mutate(part.sample(rng), rng));
}

TEST(Mutate, LeavesTheOnlyConfigurationAlone) {
  const SearchSpace space = parse(R"({"x": {"_type": "choice", "_value": [7]}})");
  Rng rng(4);
  EXPECT_EQ(space.mutate({{"x", 7}}, rng), (Configuration{{"x", 7}}));
}

}  // namespace
}  // namespace hyperfd
