#include "tuner/ranker/effect_regression.h"

#include <cmath>
#include <deque>

#include <gmock/gmock.h>
#include <torch/torch.h>

#include "tuner/base/error.h"
#include "tuner/base/rng.h"
#include "tuner/ranker/tensors.h"
#include "tuner/space/search_space.h"

namespace hyperfd {
namespace {

// Two choices, one of them among numbers, a number, and a number within a branch.
SearchSpace mixed_space() {
  return SearchSpace::parse(parse_json(
      R"({"a": {"_type": "choice", "_value": ["x", "y", "z"]},
          "b": {"_type": "choice", "_value": [1, 2]},
          "c": {"_type": "uniform", "_value": [0, 1]},
          "d": {"_type": "choice", "_value": [{"_name": "p"}, {"_name": "q", "e": {"_type": "uniform", "_value": [0, 1]}}]}})",
      "space"));
}

// Tasks and what their effects are made of, kept together as EffectTask only refers to them.
struct World {
  SearchSpace space = mixed_space();
  std::deque<std::vector<EncodedConfiguration>> configurations;
  std::deque<std::vector<double>> scores;
  std::vector<EffectTask> tasks;

  EffectRegression nothing() const {
    return {EffectRegression::parameters_of(space.encoding_columns()),
            static_cast<std::int64_t>(space.encoding_size())};
  }
  template <typename Score>
  void add(std::size_t results, const std::vector<float>& numbers, Rng& rng, const Score& score) {
    configurations.emplace_back();
    scores.emplace_back();
    for (std::size_t i = 0; i < results; ++i) {
      const Configuration configuration = space.sample(rng);
      configurations.back().emplace_back(space.encode(configuration));
      scores.back().push_back(score(configuration));
    }
    tasks.push_back({configurations.back(), scores.back(), torch::tensor(numbers)});
  }
};

std::vector<float> scores_of(const EffectRegression& effects, const std::vector<EncodedConfiguration>& rows,
                             const std::vector<float>& numbers) {
  std::vector<float> flat;
  for (const EncodedConfiguration& row : rows) flat.insert(flat.end(), row.flat.begin(), row.flat.end());
  return effects.scores(flat.data(), rows.size(), torch::tensor(numbers));
}

double correlation(const std::vector<float>& a, const std::vector<double>& b) {
  const torch::Tensor x = torch::tensor(a).to(torch::kFloat64), y = torch::tensor(b, torch::kFloat64);
  const torch::Tensor dx = x - x.mean(), dy = y - y.mean();
  return ((dx * dy).sum() / (dx.norm() * dy.norm())).item<double>();
}

double matern(double squared_distance) {
  const double r = std::sqrt(5 * squared_distance);
  return (1 + r + r * r / 3) * std::exp(-r);
}

// The kernel of configurations as the header has it, from encodings, one pair at a time.
class Reference {
 public:
  explicit Reference(const EffectRegression& effects)
      : effects_(effects), logarithms_(flatten({effects.tensors()[0]})) {}

  double shared(std::size_t which) const { return std::exp(logarithms_[effects_.parameters().size() + which]); }

  double configurations(const EncodedConfiguration& one, const EncodedConfiguration& other) const {
    std::vector<double> single;
    for (std::size_t j = 0; j < effects_.parameters().size(); ++j) {
      single.push_back(similarity(j, weights(j, one), weights(j, other)));
    }
    double sum = 0, pairs = 0;
    for (std::size_t i = 0; i < single.size(); ++i) {
      sum += single[i];
      for (std::size_t j = 0; j < i; ++j) pairs += single[i] * single[j];
    }
    const auto n = static_cast<double>(single.size());
    return shared(0) * sum / n + shared(1) * pairs / (n * (n - 1) / 2);
  }

 private:
  // How much of each state, and where the states are.
  struct State {
    double weight, place;
    std::size_t option;
  };

  std::vector<State> weights(std::size_t j, const EncodedConfiguration& row) const {
    const EffectRegression::Parameter& parameter = effects_.parameters()[j];
    const auto column = static_cast<std::size_t>(parameter.column);
    std::vector<State> states;
    if (parameter.columns > 1) {
      for (std::size_t k = 0; k < static_cast<std::size_t>(parameter.columns); ++k) {
        states.push_back({row.flat[column + k], 0, k});
      }
    } else if (parameter.mask < 0 || row.flat[static_cast<std::size_t>(parameter.mask)] == 1) {
      for (int knot = 0; knot < 9; ++knot) {
        const double hat = 1 - std::abs(8.0 * static_cast<double>(row.flat[column]) - knot);
        if (hat > 0) states.push_back({hat, 2 * knot / 8.0, 0});
      }
    }
    return states;
  }

  double similarity(std::size_t j, const std::vector<State>& one, const std::vector<State>& other) const {
    double sum = 0;
    for (const State& a : one) {
      for (const State& b : other) {
        const double distance = std::pow(a.place - b.place, 2) + (a.option == b.option ? 0 : 1);
        sum += a.weight * b.weight * matern(std::exp(static_cast<double>(logarithms_[j])) * distance);
      }
    }
    return sum;
  }

  const EffectRegression& effects_;
  std::vector<float> logarithms_;
};

TEST(EffectRegression, IsTheMeanOfItsGaussianProcess) {
  Rng rng(1);
  World world;
  const std::vector<std::vector<float>> numbers = {{1, 0.5f, -1}, {-1, 0.2f, 1}, {0, -2, 0.3f}};
  for (const auto& own : numbers) {
    world.add(12, own, rng, [&](const Configuration& c) {
      return (c["a"] == "x" ? 1 : 0) * own[0] + c["c"].get<double>() * own[1] + 0.3 * rng.normal();
    });
  }
  const EffectRegression effects = world.nothing().fitted(world.tasks, {0, 0, 1});
  const Reference reference(effects);

  // Tasks have as many results, so the scale of each is its own standard deviation to 11/14 and the median to 3/14.
  std::vector<double> deviations;
  for (const auto& scores : world.scores) {
    deviations.push_back(torch::tensor(scores, torch::kFloat64).std(false).item<double>());
  }
  std::vector<double> sorted = deviations;
  std::sort(sorted.begin(), sorted.end());
  std::vector<double> y;
  std::vector<std::size_t> task;
  std::vector<const EncodedConfiguration*> rows;
  for (std::size_t t = 0; t < world.tasks.size(); ++t) {
    const double mean = torch::tensor(world.scores[t], torch::kFloat64).mean().item<double>();
    const double scale = std::pow(deviations[t], 11.0 / 14) * std::pow(sorted[1], 3.0 / 14);
    for (std::size_t i = 0; i < world.scores[t].size(); ++i) {
      y.push_back((world.scores[t][i] - mean) / scale);
      task.push_back(t);
      rows.push_back(&world.configurations[t][i]);
    }
  }
  const auto tasks = [&](const std::vector<float>& a, const std::vector<float>& b) {
    return 1 + reference.shared(4) * (a[0] * b[0] + a[1] * b[1]) / 2 + reference.shared(5) * a[2] * b[2];
  };
  const auto n = static_cast<std::int64_t>(y.size());
  torch::Tensor kernel = torch::empty({n, n}, torch::kFloat64);
  for (std::size_t i = 0; i < y.size(); ++i) {
    for (std::size_t j = 0; j < y.size(); ++j) {
      const bool same = task[i] == task[j];
      double value = reference.configurations(*rows[i], *rows[j]) *
                     (tasks(numbers[task[i]], numbers[task[j]]) + (same ? reference.shared(2) : 0));
      if (same) value += 4;
      if (i == j) value += reference.shared(3) + 1e-4;
      kernel[static_cast<std::int64_t>(i)][static_cast<std::int64_t>(j)] = value;
    }
  }
  const torch::Tensor solved = torch::linalg_solve(kernel, torch::tensor(y, torch::kFloat64));

  const std::vector<float> own = {0.7f, -0.4f, 1.1f};
  std::vector<EncodedConfiguration> candidates;
  for (int i = 0; i < 20; ++i) candidates.emplace_back(world.space.encode(world.space.sample(rng)));
  const std::vector<float> scores = scores_of(effects, candidates, own);
  double largest = 0;
  for (std::size_t c = 0; c < candidates.size(); ++c) {
    double expected = 0;
    for (std::size_t i = 0; i < y.size(); ++i) {
      expected += solved[static_cast<std::int64_t>(i)].item<double>() * tasks(own, numbers[task[i]]) *
                  reference.configurations(candidates[c], *rows[i]);
    }
    EXPECT_NEAR(scores[c], expected, 1e-4) << c;
    largest = std::max(largest, std::abs(expected));
  }
  EXPECT_GT(largest, 0.1);
}

TEST(EffectRegression, FindsWhatTwoParametersDoTogether) {
  Rng rng(2);
  World world;
  const auto both = [](const Configuration& c) { return (c["a"] == "x") == (c["b"] == 2) ? 1.0 : 0.0; };
  for (int t = 0; t < 6; ++t) {
    world.add(15, {}, rng, [&](const Configuration& c) { return both(c) + 0.3 * rng.normal(); });
  }
  const EffectRegression effects = world.nothing().fitted(world.tasks, {});
  world.add(100, {}, rng, both);
  EXPECT_GT(correlation(scores_of(effects, world.configurations.back(), {}), world.scores.back()), 0.95);
}

TEST(EffectRegression, FindsWhatANumberOfTheTaskChanges) {
  Rng rng(3);
  World world;
  for (const float number : {-1.5f, -1.0f, -0.5f, 0.5f, 1.0f, 1.5f}) {
    world.add(15, {number}, rng,
              [&](const Configuration& c) { return number * c["c"].get<double>() + 0.1 * rng.normal(); });
  }
  const EffectRegression effects = world.nothing().fitted(world.tasks, {0});
  world.add(50, {}, rng, [](const Configuration& c) { return c["c"].get<double>(); });
  EXPECT_GT(correlation(scores_of(effects, world.configurations.back(), {1.2f}), world.scores.back()), 0.9);
  EXPECT_LT(correlation(scores_of(effects, world.configurations.back(), {-1.2f}), world.scores.back()), -0.9);
}

TEST(EffectRegression, DoesNotDependOnUnitsOrLevelsOfScores) {
  const auto learned = [](double factor, double level) {
    Rng rng(4);
    World world;
    for (int t = 0; t < 3; ++t) {
      world.add(8, {}, rng, [&](const Configuration& c) {
        return factor * (c["c"].get<double>() + 0.2 * rng.normal()) + level * (t + 1);
      });
    }
    return scores_of(world.nothing().fitted(world.tasks, {}), world.configurations[0], {});
  };
  const std::vector<float> usual = learned(1, 0), other = learned(1000, 77);
  for (std::size_t i = 0; i < usual.size(); ++i) EXPECT_NEAR(usual[i], other[i], 1e-3);
  EXPECT_EQ(learned(1, 0), usual);  // to the bit
}

TEST(EffectRegression, GoesOnFromWhatItKnows) {
  Rng rng(5);
  World world;
  const auto score = [&](const Configuration& c) { return (c["a"] == "y" ? 1.0 : 0.0) + 0.2 * rng.normal(); };
  for (int t = 0; t < 4; ++t) world.add(10, {}, rng, score);
  const EffectRegression first = world.nothing().fitted(world.tasks, {});
  EXPECT_EQ(flatten(first.fitted({}, {}).tensors()), flatten(first.tensors()));
  World even;
  even.add(5, {}, rng, [](const Configuration&) { return 0.5; });
  even.add(1, {}, rng, score);
  EXPECT_EQ(flatten(first.fitted(even.tasks, {}).tensors()), flatten(first.tensors()));
  EXPECT_EQ(flatten(world.nothing().fitted(even.tasks, {}).tensors()), flatten(world.nothing().tensors()));
  // Tasks with numbers come after tasks without.
  world.add(10, {1, 2}, rng, score);
  for (std::size_t t = 0; t + 1 < world.tasks.size(); ++t) world.tasks[t].numbers = torch::zeros({2});
  const EffectRegression second = first.fitted(world.tasks, {0, 1});
  EXPECT_EQ(second.numbers(), 2);
  EXPECT_EQ(second.groups(), 2);
  // Who does not say them is a task of mean numbers; what nobody could weigh is not read.
  EXPECT_EQ(scores_of(second, world.configurations[0], {}), scores_of(second, world.configurations[0], {0, 0}));
  for (EffectTask& task : world.tasks) task.numbers = torch::ones({65});
  EXPECT_EQ(first.fitted(world.tasks, std::vector<std::int64_t>(65, 0)).numbers(), 0);
}

TEST(EffectRegression, StaysFiniteWhateverTheScores) {
  Rng rng(6);
  for (const double scale : {1e-300, 1e-12, 1.0, 1e150}) {
    World world;
    for (int t = 0; t < 3; ++t) {
      world.add(4, {}, rng, [&](const Configuration&) { return scale * rng.normal() * (t == 0 ? 1e-3 : 1); });
    }
    for (const torch::Tensor& weights : world.nothing().fitted(world.tasks, {}).tensors()) {
      EXPECT_TRUE(weights.isfinite().all().item<bool>()) << scale;
    }
  }
}

TEST(EffectRegression, RefusesEncodingsOfAnotherWidth) {
  World world;
  const std::vector<EncodedConfiguration> rows = {{{0, 1}}, {{1, 0}}};
  const std::vector<double> scores = {1, 2};
  EXPECT_THROW(world.nothing().fitted({{rows, scores, torch::zeros({0})}}, {}), InputError);
  using Parameters = std::vector<EffectRegression::Parameter>;
  for (const Parameters& bad : {Parameters{{-1, 1, -1}}, {{0, 0, -1}}, {{1, 2, -1}}, {{0, 1, 2}}, {{0, 1, -2}}}) {
    EXPECT_THROW(EffectRegression(bad, 2), InputError);
  }
}

TEST(EffectRegression, GroupsNumbersByTheFirstWordOfTheirNames) {
  EXPECT_THAT(groups_by_name({"untuned AP", "boxes", "untuned loss", "face size <1", "face size <2"}, 5),
              testing::ElementsAre(0, 1, 0, 2, 2));
  EXPECT_THAT(groups_by_name({}, 3), testing::ElementsAre(0, 0, 0));
}

}  // namespace
}  // namespace hyperfd
