// Against golden/bench.py.
#include <gtest/gtest.h>

#include "tuner/base/files.h"
#include "tuner/bench/replay.h"
#include "tuner/bench/wilcoxon.h"

namespace hyperfd {
namespace {

Json golden(const std::string& part) {
  const std::string file = HYPERFD_SOURCE_DIR "/tests/tuner/bench/golden/bench.json";
  return parse_json(read_file(file), file).at(part);
}

TEST(Wilcoxon, AgreesWithSciPyAndBruteForce) {
  for (const Json& one : golden("wilcoxon")) {
    const std::vector<double> differences = one["differences"];
    EXPECT_NEAR(wilcoxon_p(differences), one["p"].get<double>(), 1e-9) << differences.size() << " differences";
  }
}

TEST(Wilcoxon, FindsNothingWhereNothingDiffers) {
  EXPECT_EQ(wilcoxon_p({}), 1);
  EXPECT_EQ(wilcoxon_p({0, 0, 0}), 1);
  EXPECT_EQ(wilcoxon_p({0.5}), 1);
}

TEST(RandomSearch, ExpectsTheMeanOverAllSubsets) {
  const Json expected = golden("random_search");
  TableTask task;
  for (std::size_t i = 0; i < expected["test"].size(); ++i) {
    task.entries.push_back({Json{{"n", i}}, expected["validation"][i], expected["test"][i]});
  }
  for (int budget = 1; budget <= 7; ++budget) {
    const double expectation = expected["expectations"][static_cast<std::size_t>(budget - 1)];
    EXPECT_NEAR(random_search_expectation(task, budget), expectation, 1e-12) << budget;
  }
}

TEST(Place, CountsFromTheBestAndSharesTies) {
  TableTask task;
  for (const double validation : {0.5, 0.9, 0.7, 0.7}) task.entries.push_back({{}, validation, 0});
  EXPECT_EQ(place_of(task, 1), 0.25);
  EXPECT_EQ(place_of(task, 2), 0.625);
  EXPECT_EQ(place_of(task, 3), 0.625);
  EXPECT_EQ(place_of(task, 0), 1);
}

}  // namespace
}  // namespace hyperfd
