#include "tuner/ranker/ranking_model.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <numeric>
#include <utility>

#include <torch/torch.h>

#include "tuner/base/error.h"
#include "tuner/ranker/learner.h"
#include "tuner/ranker/ranker.h"
#include "tuner/ranker/ranking_model_bytes.h"
#include "tuner/ranker/single_thread.h"
#include "tuner/ranker/tensors.h"

namespace hyperfd {
namespace {

// Of all parameters, for which effects of pairs are learned: their square is stored for each number of a task.
constexpr std::int64_t kMostStates = 400;

void check_rows(const std::vector<EncodedConfiguration>& rows, const RankingModelState& state,
                const std::string& what) {
  const EncodingShape shape = state.shape();
  const auto is_finite = [](const std::vector<float>& numbers) {
    return std::all_of(numbers.begin(), numbers.end(), [](float x) { return std::isfinite(x); });
  };
  const std::optional<EffectRegression>& effects = state.ranker.effects;
  const std::size_t width = effects ? static_cast<std::size_t>(effects->width()) : shape.flat;
  for (const EncodedConfiguration& row : rows) {
    if (width > 0 && row.flat.size() != width) {
      throw InputError(what + ": an encoding of " + std::to_string(row.flat.size()) + " numbers, expected " +
                       std::to_string(width));
    }
    if (!is_finite(row.flat)) throw InputError(what + ": an encoding with a number that is not finite");
    if (shape.node_features == 0) continue;
    if (!row.graph || row.graph->nodes() == 0 || row.graph->feature_size != shape.node_features) {
      throw InputError(what + ": expected graphs of nodes with " + std::to_string(shape.node_features) + " features");
    }
    if (!is_finite(row.graph->features)) throw InputError(what + ": a graph with a number that is not finite");
    const auto nodes = static_cast<int>(row.graph->nodes());
    for (const auto& [from, to] : row.graph->edges) {
      if (from < 0 || to < 0 || from >= nodes || to >= nodes) throw InputError(what + ": an edge without node");
    }
  }
}

void check_experience(const TaskExperience& experience, const RankingModelState& state) {
  const std::string what = "task " + experience.task;
  check_rows(experience.encodings, state, what);
  const auto check_finite = [&](const auto& numbers, const char* name) {
    if (std::all_of(numbers.begin(), numbers.end(), [](auto x) { return std::isfinite(x); })) return;
    throw InputError(what + ": " + name + " that is not finite");
  };
  if (experience.scores.size() != experience.encodings.size()) {
    throw InputError(what + ": " + std::to_string(experience.scores.size()) + " scores for " +
                     std::to_string(experience.encodings.size()) + " configurations");
  }
  check_finite(experience.scores, "a score");
  check_finite(experience.statistics, "a statistic");
  check_finite(experience.feature, "a meta-feature");
  if (!experience.feature.empty() && static_cast<std::int64_t>(experience.feature.size()) != state.ranker.units()) {
    throw InputError(what + ": a meta-feature of " + std::to_string(experience.feature.size()) + " numbers, expected " +
                     std::to_string(state.ranker.units()));
  }
}

std::uint64_t next_identity() {
  static std::atomic<std::uint64_t> last{0};
  return ++last;
}

// The numbers that describe the task, standardised.
torch::Tensor numbers_of(const Ranker& ranker, const TaskExperience& own, const RankerOptions& options) {
  return ranker.standardised(options.numbers ? own.statistics : std::vector<double>());
}

// φ without the task's own results.
torch::Tensor feature_of(const Ranker& ranker, const TaskExperience& own, const RankerOptions& options) {
  const torch::Tensor mean = ranker.mean_for(numbers_of(ranker, own, options));
  if (!options.images) return mean;
  if (!own.feature.empty()) return mean + torch::tensor(own.feature, torch::kFloat32);
  const torch::Tensor stored = ranker.stored_feature(own.task);
  return stored.defined() ? mean + stored : mean;
}

std::vector<float> to_vector(const torch::Tensor& tensor) {
  return flatten({tensor});
}

torch::Tensor to_tensor(std::vector<float> numbers) {
  return torch::tensor(numbers, torch::kFloat32);
}

std::vector<float> encodings_of(const std::vector<EncodedConfiguration>& configurations) {
  return posterior_input(configurations).encodings;
}

// E of all experience, and how large φᵀ H is beside it.
void learn_effects(Ranker& ranker, const std::vector<TaskExperience>& experience, const RankerOptions& options) {
  const torch::NoGradGuard no_grad;
  std::vector<EffectTask> tasks;
  for (const TaskExperience& task : experience) {
    tasks.push_back({task.encodings, task.scores, numbers_of(ranker, task, options)});
  }
  ranker.effects = ranker.effects->fitted(tasks, groups_by_name(ranker.number_names, ranker.number_count()));
  double of_effects = 0, of_network = 0;
  for (std::size_t t = 0; t < tasks.size(); ++t) {
    if (experience[t].encodings.size() < 2) continue;
    const torch::Tensor effects = to_tensor(ranker.effects->scores(encodings_of(experience[t].encodings).data(),
                                                                   experience[t].encodings.size(), tasks[t].numbers));
    // By what the ranker of today makes of the data set, not by what an earlier one made of it.
    const TaskExperience known{experience[t].task, {}, {}, experience[t].statistics};
    const torch::Tensor network =
        torch::mv(ranker.encoder.embed(experience[t].encodings), feature_of(ranker, known, options));
    of_effects += effects.var(/*unbiased=*/false).item<double>();
    of_network += network.var(/*unbiased=*/false).item<double>();
  }
  if (of_network > 0 && of_effects > 0) ranker.network_scale.fill_(std::sqrt(of_effects / of_network));
}

// What the two rankings say together, instead of what the network says, φᵀ H.
template <typename Number>
void add_effects_to(const Ranker& ranker, const TaskExperience& own, const float* encodings, Number* network,
                    std::size_t n, const RankerOptions& options) {
  const double network_share = options.used_network_share();
  if (!ranker.effects || network_share >= 1) return;
  const std::vector<float> effects = ranker.effects->scores(encodings, n, numbers_of(ranker, own, options));
  const double scale = ranker.network_scale.item<double>();
  for (std::size_t i = 0; i < n; ++i) {
    network[i] = static_cast<Number>((1 - network_share) * static_cast<double>(effects[i]) +
                                     network_share * scale * static_cast<double>(network[i]));
  }
}

}  // namespace

std::vector<std::size_t> most_telling(const std::vector<double>& scores, std::size_t limit) {
  const std::size_t n = scores.size(), latest = n <= limit ? n : limit / 2, best = std::min(n, limit) - latest;
  std::vector<std::size_t> order(n - latest);  // all but the latest
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::nth_element(
      order.begin(), order.begin() + static_cast<std::ptrdiff_t>(best), order.end(),
      [&](std::size_t a, std::size_t b) { return scores[a] != scores[b] ? scores[a] > scores[b] : a < b; });
  order.resize(best);
  std::sort(order.begin(), order.end());
  for (std::size_t i = n - latest; i < n; ++i) order.push_back(i);
  return order;
}

struct RankingModel::Impl {
  RankingModelState state;
  std::uint64_t identity = next_identity();
};

RankingModel::RankingModel(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
RankingModel::RankingModel(RankingModel&&) noexcept = default;
RankingModel& RankingModel::operator=(RankingModel&&) noexcept = default;
RankingModel::~RankingModel() = default;

RankingModel::RankingModel(const EncodingShape& shape, const RankerOptions& options, std::uint64_t seed) {
  Rng rng(seed);
  impl_ = std::make_unique<Impl>(Impl{{options, Ranker(shape, options.hidden_units, rng), false}});
}

RankingModel RankingModel::deserialize(const std::string& bytes, const RankerOptions& options) {
  return RankingModel(std::make_unique<Impl>(Impl{ranking_model_from_bytes(bytes, options)}));
}

std::string RankingModel::serialize() const {
  return ranking_model_to_bytes(impl_->state);
}

EncodingShape RankingModel::shape() const {
  return impl_->state.shape();
}

const RankerOptions& RankingModel::options() const {
  return impl_->state.options;
}

void RankingModel::add_extractor(const ExtractorInput& input, const std::vector<std::vector<float>>& sample,
                                 std::uint64_t seed) {
  Ranker& ranker = impl_->state.ranker;
  if (ranker.extractor || !impl_->state.options.images) return;
  if (ranker.units() % MetaFeatureExtractor::kHeads != 0) {
    throw InputError("hidden: expected a multiple of " + std::to_string(MetaFeatureExtractor::kHeads) +
                     " where data sets have images, got " + std::to_string(ranker.units()));
  }
  const std::size_t inputs = input.image_features + input.statistics;
  for (const std::vector<float>& row : sample) {
    if (row.size() == inputs && std::all_of(row.begin(), row.end(), [](float x) { return std::isfinite(x); })) continue;
    throw InputError("image features: expected " + std::to_string(inputs) + " finite numbers an image");
  }
  Rng rng(seed);
  MetaFeatureExtractor extractor(static_cast<std::int64_t>(input.image_features),
                                 static_cast<std::int64_t>(input.statistics), ranker.units(), rng);
  if (!sample.empty()) extractor.set_standardisation(matrix(sample, inputs));
  if (!impl_->state.options.attention) {
    for (const torch::Tensor& weights : extractor.attention_output()) weights.zero_();
  }
  ranker.extractor = std::move(extractor);
  ranker.frozen = input.frozen;
  impl_->identity = next_identity();
}

std::optional<ExtractorInput> RankingModel::extractor_input() const {
  const Ranker& ranker = impl_->state.ranker;
  if (!ranker.extractor) return std::nullopt;
  return ExtractorInput{ranker.frozen, static_cast<std::size_t>(ranker.extractor->image_features()),
                        static_cast<std::size_t>(ranker.extractor->statistics())};
}

void RankingModel::add_effects(const EncodingColumns& columns) {
  RankingModelState& state = impl_->state;
  if (state.ranker.effects || !state.options.effects || columns.empty()) return;
  std::vector<EffectRegression::Parameter> parameters = EffectRegression::parameters_of(columns);
  if (EffectRegression::states_of(parameters) > kMostStates) return;
  state.ranker.effects.emplace(std::move(parameters), static_cast<std::int64_t>(columns.size()));
  impl_->identity = next_identity();
}

const std::vector<std::string>& RankingModel::number_names() const {
  return impl_->state.ranker.number_names;
}

void RankingModel::name_numbers(std::vector<std::string> names) {
  Ranker& ranker = impl_->state.ranker;
  if (ranker.number_count() == 0) ranker.number_names = std::move(names);
}

std::vector<float> RankingModel::extractor_weights() const {
  const Ranker& ranker = impl_->state.ranker;
  return ranker.extractor ? ranker.extractor->flat() : std::vector<float>();
}

void RankingModel::update(const std::vector<TaskExperience>& experience, std::uint64_t seed) {
  RankingModelState& state = impl_->state;
  for (const TaskExperience& task : experience) {
    check_experience(task, state);
    if (task.dataset && state.options.images && !state.ranker.extractor)
      throw InputError("task " + task.task + ": has images, the ranker no extractor");
  }
  const SingleThread single_thread;
  Rng rng(seed);
  Ranker next = state.ranker.clone();
  if (!learn(next, experience, state.options, !state.trained, rng)) return;
  if (next.effects && state.options.effects) learn_effects(next, experience, state.options);
  for (const torch::Tensor& weights : next.tensors()) {
    if (!weights.isfinite().all().item<bool>()) throw Error("the ranker's training diverged; the last version stays");
  }
  state.ranker = std::move(next);
  state.trained = true;
  impl_->identity = next_identity();
}

bool RankingModel::trained() const {
  return impl_->state.trained;
}

std::size_t RankingModel::tasks_beside(const std::string& task) const {
  const std::vector<std::string>& tasks = impl_->state.ranker.tasks;
  return tasks.size() - static_cast<std::size_t>(std::count(tasks.begin(), tasks.end(), task));
}

std::uint64_t RankingModel::identity() const {
  return impl_->identity;
}

std::vector<float> RankingModel::score(const TaskExperience& own,
                                       const std::vector<EncodedConfiguration>& candidates) const {
  const RankingModelState& state = impl_->state;
  check_experience(own, state);
  const torch::NoGradGuard no_grad;
  const Ranker& ranker = state.ranker;
  if (own.scores.size() < 2) {
    check_rows(candidates, state, "candidates");
    const torch::Tensor feature = feature_of(ranker, own, state.options);
    const MlpEncoder* mlp = ranker.encoder.flat_only();
    std::vector<float> scores = to_vector(mlp ? mlp->scores(ranker.encoder.input(candidates).flat, feature)
                                              : torch::mv(ranker.encoder.embed(candidates), feature));
    add_effects_to(ranker, own, encodings_of(candidates).data(), scores.data(), scores.size(), state.options);
    return scores;
  }
  std::vector<EncodedConfiguration> telling;
  std::vector<double> telling_scores;
  for (const std::size_t i : most_telling(own.scores, state.options.fit_results)) {
    telling.push_back(own.encodings[i]);
    telling_scores.push_back(own.scores[i]);
  }
  PosteriorInput population = embed(candidates), results = embed(telling);
  set_prior(own, population, state.options);
  set_prior(own, results, state.options);
  const TaskPosterior posterior(population, results, telling_scores, {}, tasks_beside(own.task));
  const std::vector<double> mean = posterior.predict(population).mean;
  return {mean.begin(), mean.end()};
}

std::vector<float> RankingModel::score_flat(const TaskExperience& own, const float* rows, std::size_t n) const {
  const Ranker& ranker = impl_->state.ranker;
  const MlpEncoder* mlp = ranker.encoder.flat_only();
  if (!mlp) throw InputError("candidates: expected graphs");
  const torch::Tensor input =
      torch::from_blob(const_cast<float*>(rows), {static_cast<std::int64_t>(n), mlp->inputs()}, torch::kFloat32);
  std::vector<float> scores = to_vector(mlp->scores(input, feature_of(ranker, own, options())));
  add_effects_to(ranker, own, rows, scores.data(), n, options());
  return scores;
}

PosteriorInput RankingModel::embed(const std::vector<EncodedConfiguration>& configurations) const {
  const RankingModelState& state = impl_->state;
  check_rows(configurations, state, "configurations");
  PosteriorInput result = posterior_input(configurations);
  result.embeddings = to_vector(state.ranker.encoder.embed(configurations));
  return result;
}

void RankingModel::set_prior(const TaskExperience& own, PosteriorInput& configurations,
                             const RankerOptions& options) const {
  const std::vector<float> feature = to_vector(feature_of(impl_->state.ranker, own, options));
  configurations.prior.resize(configurations.size);
  const float* embedding = configurations.embeddings.data();
  for (double& prior : configurations.prior) {
    prior = static_cast<double>(std::inner_product(feature.begin(), feature.end(), embedding, 0.0f));
    embedding += feature.size();
  }
  add_effects_to(impl_->state.ranker, own, configurations.encodings.data(), configurations.prior.data(),
                 configurations.size, options);
}

}  // namespace hyperfd
