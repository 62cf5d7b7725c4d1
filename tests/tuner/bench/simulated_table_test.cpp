#include <cmath>
#include <numeric>
#include <set>

#include <gtest/gtest.h>

#include "tests/message_of.h"
#include "tuner/bench/lookup_table.h"

namespace hyperfd {
namespace {

std::string file_of(const char* space) {
  return std::string(HYPERFD_SOURCE_DIR "/search_spaces/") + space;
}

std::vector<Configuration> all_points(const char* file, std::size_t count) {
  Rng rng(1);
  return simulated_points(SearchSpace::load(file_of(file)), Annotation::none(), count, rng);
}

double correlation(const std::vector<double>& a, const std::vector<double>& b) {  // both standardised
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0) / static_cast<double>(a.size());
}

// Mean correlation of two tasks of a family, over families.
double mean_correlation(const std::vector<Configuration>& points, double similarity) {
  SimulatedFamilyOptions options;
  options.similarity = similarity;
  double sum = 0;
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    SimulatedTasks family(points, options, seed);
    const auto a = family.make_task(), b = family.make_task();
    sum += correlation(a.values, b.values) / 40;
  }
  return sum;
}

TEST(SimulatedTasks, CorrelateAsTheirSimilaritySays) {
  for (const auto& points : {all_points("hpo.yaml", 0), all_points("proxylessnas.yaml", 150)}) {
    for (const double similarity : {0.0, 0.5, 1.0}) {
      EXPECT_NEAR(mean_correlation(points, similarity), similarity, 0.1) << points.size() << " points";
    }
  }
}

TEST(SimulatedTasks, TellByTheirStatisticsWhoIsLikeWhom) {
  const auto points = all_points("hpo.yaml", 0);
  SimulatedFamilyOptions options;
  options.similarity = 1;
  options.factors = 2;
  options.statistics_noise = 0;
  SimulatedTasks family(points, options, 5);
  std::vector<SimulatedTasks::Task> tasks;
  for (int t = 0; t < 12; ++t) tasks.push_back(family.make_task());
  // Of every task's neighbours by statistics, the nearest correlates more than the farthest.
  for (const auto& task : tasks) {
    const SimulatedTasks::Task *nearest = nullptr, *farthest = nullptr;
    double smallest = INFINITY, largest = 0;
    for (const auto& other : tasks) {
      double distance = 0;
      for (std::size_t i = 0; i < 4; ++i) distance += std::abs(task.statistics[i] - other.statistics[i]);
      if (&other != &task && distance < smallest) {
        smallest = distance;
        nearest = &other;
      }
      if (distance > largest) {
        largest = distance;
        farthest = &other;
      }
    }
    EXPECT_GT(correlation(task.values, nearest->values), correlation(task.values, farthest->values));
  }
}

TEST(SimulatedTable, EvaluatesAllOfASmallSpaceOnEveryTask) {
  const LookupTable table = simulate_table(file_of("hpo.yaml"), {}, 1);
  ASSERT_EQ(table.tasks.size(), 12u);
  EXPECT_TRUE(table.tasks[0].offline);
  EXPECT_FALSE(table.tasks[1].offline);
  for (const TableTask& task : table.tasks) EXPECT_EQ(task.entries.size(), 216u);
}

TEST(SimulatedTable, GivesEveryTaskArchitecturesOfItsOwn) {
  SimulatedTableOptions options;
  options.tasks = 3;
  options.configurations = 30;
  const LookupTable table = simulate_table(file_of("proxylessnas.yaml"), options, 1);
  std::set<std::string> distinct;
  for (const TableTask& task : table.tasks) {
    EXPECT_EQ(task.entries.size(), 30u);
    for (const TableEntry& entry : task.entries) {
      distinct.insert(fingerprint(entry.configuration));
      EXPECT_EQ(table.annotation.find_violated(entry.configuration), nullptr);
    }
  }
  EXPECT_EQ(distinct.size(), 90u);
}

TEST(SimulatedTable, ReadsItsOptions) {
  const SimulatedTableOptions options = parse_simulated("similarity=0.25,tasks=5,offline=2,factors=3,noise=0");
  EXPECT_EQ(options.family.similarity, 0.25);
  EXPECT_EQ(options.family.factors, 3);
  EXPECT_EQ(options.family.noise, 0);
  EXPECT_EQ(options.tasks, 5);
  EXPECT_EQ(options.offline, 2);
  EXPECT_EQ(parse_simulated("").tasks, 12);
  EXPECT_EQ(message_of([] { parse_simulated("similarty=1"); }),
            "simulated: unknown option \"similarty\"; did you mean \"similarity\"?");
  EXPECT_EQ(message_of([] { parse_simulated("similarity=2"); }),
            "simulated: similarity: expected a number from 0 to 1, got \"2\"");
}

}  // namespace
}  // namespace hyperfd
