// What a task gains from the tasks before it, on made-up response surfaces (simulated_tasks.h).
#include <algorithm>
#include <string>
#include <unordered_set>
#include <vector>

#include <gtest/gtest.h>

#include "tuner/bench/simulated_tasks.h"
#include "tuner/platform/selection_policy.h"

namespace hyperfd {
namespace {

constexpr int kSeeds = 20, kPastTasks = 5, kPastTrials = 8, kBudget = 4;
constexpr double kNoise = 0.2;  // standard deviations of the surface

// Tunes one task after another with results coming in one by one, as an experiment of concurrency 1 does.
class Tuning {
 public:
  Tuning(const SearchSpace& space, double similarity, std::uint64_t seed)
      : space_(space),
        family_(points_of(space), options_of(similarity), seed),
        model_(space.encoding_size(), {}, seed),
        rng_(seed + 1000) {
    model_.add_effects(space.encoding_columns());
  }

  // Past tasks were searched at random: the least that a platform can have.
  void make_past() {
    std::vector<TaskExperience> experience;
    for (int i = 0; i < kPastTasks; ++i) {
      TaskExperience task{"task " + std::to_string(i), {}, {}};
      for (const Trial& trial : tune("random", family_.make_task().values, kPastTrials)) {
        task.encodings.push_back(space_.encode(trial.result.configuration));
        task.scores.push_back(trial.result.score);
      }
      experience.push_back(std::move(task));
    }
    model_.update(experience, rng_.bits());
  }

  // True ranks (normalised_rank) of what each policy calls its best of kBudget, mean over `tasks` new tasks.
  std::vector<double> mean_ranks(const std::vector<std::string>& policies, int tasks) {
    std::vector<double> ranks(policies.size());
    for (int i = 0; i < tasks; ++i) {
      const std::vector<double> surface = family_.make_task().values;
      for (std::size_t p = 0; p < policies.size(); ++p) {
        const std::vector<Trial> trials = tune(policies[p], surface, kBudget);
        const auto best = std::max_element(trials.begin(), trials.end(), [](const Trial& a, const Trial& b) {
          return a.result.score < b.result.score;
        });
        ranks[p] += normalised_rank(surface, best->index) / tasks;
      }
    }
    return ranks;
  }

 private:
  static std::vector<Configuration> points_of(const SearchSpace& space) {
    Rng unused(0);
    return simulated_points(space, Annotation::none(), 0, unused);
  }
  static SimulatedFamilyOptions options_of(double similarity) {
    SimulatedFamilyOptions options;
    options.similarity = similarity;
    options.noise = kNoise;
    return options;
  }

  struct Trial {
    ScoredConfiguration result;
    std::size_t index;
  };

  std::vector<Trial> tune(const std::string& policy_name, const std::vector<double>& surface, int trials) {
    const auto policy = make_policy(policy_name);
    std::vector<Trial> done;
    std::vector<ScoredConfiguration> results;
    ConfigurationKeys taken;
    for (int i = 0; i < trials; ++i) {
      const TaskView view{space_, results, taken, &model_};
      const Configuration configuration = policy->suggest(view, 1, rng_).at(0);
      const std::size_t index = index_of(configuration);
      results.push_back({configuration, family_.report(surface[index])});
      taken.insert(configuration_key(configuration));
      done.push_back({results.back(), index});
    }
    return done;
  }

  std::size_t index_of(const Configuration& configuration) const {
    std::uint64_t index = 0;
    while (space_.at(index) != configuration) ++index;
    return static_cast<std::size_t>(index);
  }

  const SearchSpace& space_;
  SimulatedTasks family_;
  RankingModel model_;
  Rng rng_;
};

struct Ranks {
  double hyperfd = 0, network = 0, random = 0;  // `network`: hyperfd without effects
};

Ranks measure(double similarity) {
  const SearchSpace space = SearchSpace::load(HYPERFD_SOURCE_DIR "/search_spaces/hpo.yaml");
  Ranks mean;
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    Tuning tuning(space, similarity, seed);
    tuning.make_past();
    // Effects change nothing in how the network learns, so one ranker serves both.
    const std::vector<double> ranks = tuning.mean_ranks({"hyperfd:effects=off", "random"}, 4);
    mean.network += ranks[0] / kSeeds;
    mean.random += ranks[1] / kSeeds;
    mean.hyperfd += tuning.mean_ranks({"hyperfd"}, 4)[0] / kSeeds;
  }
  ::testing::Test::RecordProperty("hyperfd", std::to_string(mean.hyperfd));
  ::testing::Test::RecordProperty("network", std::to_string(mean.network));
  ::testing::Test::RecordProperty("random", std::to_string(mean.random));
  return mean;
}

TEST(Transfer, HalvesTheRankOfTheBestAfterFiveSimilarTasks) {
  const Ranks ranks = measure(0.8);
  EXPECT_NEAR(ranks.random, 0.2, 0.05);  // 1 / (budget + 1) without noise
  EXPECT_LE(ranks.hyperfd, ranks.random / 2);
  EXPECT_LE(ranks.network, ranks.random / 2);
}

TEST(Transfer, CostsNothingWhenPastTasksHaveNothingInCommonWithTheNew) {
  const Ranks ranks = measure(0);
  // The mean over 80 tasks of the best of 4 has a standard error of about 0.02.
  EXPECT_LE(ranks.hyperfd, ranks.random + 0.05);
  EXPECT_LE(ranks.network, ranks.random + 0.05);
}

}  // namespace
}  // namespace hyperfd
