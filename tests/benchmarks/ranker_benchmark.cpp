// How long rankings take, on one core: taskset -c 0 build/release/bin/ranker_benchmark
#include <algorithm>
#include <memory>
#include <numeric>

#include <benchmark/benchmark.h>

#include "tuner/platform/configuration_encoding.h"
#include "tuner/platform/selection_policy.h"

namespace hyperfd {
namespace {

SearchSpace space_of(const std::string& name) {
  return SearchSpace::load(HYPERFD_SOURCE_DIR "/search_spaces/" + name);
}

// Random results of random configurations: timings do not depend on what was learned.
TaskExperience random_experience(const SearchSpace& space, const Annotation& annotation, std::size_t results,
                                 Rng& rng) {
  TaskExperience task{"task", {}, {}};
  for (std::size_t i = 0; i < results; ++i) {
    task.encodings.push_back(encode(space, annotation, space.sample(rng)));
    task.scores.push_back(rng.normal());
  }
  return task;
}

RankingModel trained_model(const SearchSpace& space, const Annotation& annotation, std::size_t past_tasks) {
  Rng rng(1);
  RankerOptions options;
  options.warm_up_iterations = 20;
  RankingModel model(encoding_shape(space, annotation), options, 1);
  model.add_effects(space.encoding_columns());
  std::vector<TaskExperience> past;
  for (std::size_t i = 0; i < past_tasks; ++i) {
    past.push_back(random_experience(space, annotation, 20, rng));
    past.back().task += std::to_string(i);
  }
  model.update(past, 2);
  return model;
}

std::vector<std::size_t> best_first(const std::vector<double>& scores) {
  std::vector<std::size_t> order(scores.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return scores[a] > scores[b]; });
  return order;
}

// The ranking of a new task over the 216 points of hpo.yaml, whose embeddings are cached. Argument: past tasks.
void rank_216_points(benchmark::State& state) {
  const SearchSpace space = space_of("hpo.yaml");
  const RankingModel model = trained_model(space, Annotation::none(), static_cast<std::size_t>(state.range(0)));
  std::vector<EncodedConfiguration> points;
  for (std::uint64_t i = 0; i < *space.size(); ++i) points.push_back(space.encode(space.at(i)));
  PosteriorInput input = model.embed(points);
  for (auto _ : state) {
    model.set_prior({"new", {}, {}}, input, RankerOptions());
    benchmark::DoNotOptimize(best_first(input.prior));
  }
}
BENCHMARK(rank_216_points)->Arg(5)->Arg(500)->Unit(benchmark::kMicrosecond);

// A whole suggestion of the policy over the 216 points. Argument: results of the task itself.
void suggest_of_216_points(benchmark::State& state) {
  const SearchSpace space = space_of("hpo.yaml");
  const RankingModel model = trained_model(space, Annotation::none(), 5);
  const auto policy = make_policy("hyperfd");
  Rng rng(3);
  std::vector<ScoredConfiguration> results;
  ConfigurationKeys taken;
  for (std::int64_t i = 0; i < state.range(0); ++i) {
    results.push_back({space.sample(rng), rng.normal()});
    if (i < 100) taken.insert(configuration_key(results.back().configuration));
  }
  for (auto _ : state) benchmark::DoNotOptimize(policy->suggest({space, results, taken, &model}, 1, rng));
}
BENCHMARK(suggest_of_216_points)->Arg(0)->Arg(4)->Arg(50)->Arg(10000)->Unit(benchmark::kMicrosecond);

// A thousand architectures of proxylessnas.yaml from graphs and numbers: batch, GIN, MLP, ranking.
void rank_1000_architectures(benchmark::State& state) {
  const SearchSpace space = space_of("proxylessnas.yaml");
  const Annotation annotation = Annotation::load(HYPERFD_SOURCE_DIR "/search_spaces/proxylessnas.hyperfd.yaml", space);
  const RankingModel model = trained_model(space, annotation, 3);
  Rng rng(4);
  const std::vector<EncodedConfiguration> architectures = random_experience(space, annotation, 1000, rng).encodings;
  for (auto _ : state) {
    const std::vector<float> scores = model.score({"new", {}, {}}, architectures);
    benchmark::DoNotOptimize(best_first({scores.begin(), scores.end()}));
  }
}
BENCHMARK(rank_1000_architectures)->Unit(benchmark::kMillisecond);

// A million encoded configurations of hpo.yaml: scores and the best 200.
void rank_1000000_flat(benchmark::State& state) {
  constexpr std::size_t kCount = 1'000'000, kBest = 200;
  const SearchSpace space = space_of("hpo.yaml");
  const RankingModel model = trained_model(space, Annotation::none(), 5);
  Rng rng(5);
  std::vector<float> rows;
  for (std::size_t i = 0; i < kCount * space.encoding_size(); ++i) rows.push_back(static_cast<float>(rng.uniform()));
  std::vector<std::size_t> order(kCount);
  for (auto _ : state) {
    const std::vector<float> scores = model.score_flat({"new", {}, {}}, rows.data(), kCount);
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::nth_element(order.begin(), order.begin() + kBest, order.end(),
                     [&](std::size_t a, std::size_t b) { return scores[a] > scores[b]; });
    benchmark::DoNotOptimize(order.data());
  }
}
BENCHMARK(rank_1000000_flat)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace hyperfd
