#include "tuner/platform/hyperfd_policy.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "tuner/baselines/random_policy.h"
#include "tuner/platform/candidates.h"
#include "tuner/platform/configuration_encoding.h"
#include "tuner/platform/untaken.h"

namespace hyperfd {
namespace {

constexpr std::size_t kRandomStart = 5;    // suggestions of a task without a trained ranker
constexpr std::size_t kPendingLimit = 16;  // in one answer; beyond it suggestions are the next best
constexpr std::size_t kTablesKept = 8;
constexpr std::size_t kRandomEvery = 5;  // suggestion in a nested space
// So many past tasks or fewer may have nothing to do with this one; every other suggestion at the start is random then.
constexpr std::size_t kFewTasks = 1;
// With more past tasks so many suggestions are the best of the ranking: one result says nothing of how good it is.
constexpr std::size_t kRankedStart = 2;
// A ranking of as many past tasks or more is trusted further: so many suggestions are the best expected, results
// included. Exploring pays when there are trials left to use what it finds, and a budget of four has none.
constexpr std::size_t kManyTasks = 10;
constexpr std::size_t kExpectedStart = 4;

// Indices of `scores`, best first; equal scores in the order of their indices.
std::vector<std::size_t> rank(const std::vector<float>& scores) {
  std::vector<std::size_t> order(scores.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return scores[a] > scores[b]; });
  return order;
}

// A random entry of `ranking` that is below `drawn`, or any if there is none.
std::size_t pick_randomly(const std::vector<std::size_t>& ranking, std::size_t drawn, Rng& rng) {
  std::vector<std::size_t> eligible;
  for (const std::size_t entry : ranking) {
    if (entry < drawn) eligible.push_back(entry);
  }
  return eligible.empty() ? ranking[rng.below(ranking.size())] : eligible[rng.below(eligible.size())];
}

// Without the prior.
PosteriorInput embedded(const TaskView& task, const RankingModel* model,
                        const std::vector<Configuration>& configurations) {
  const std::vector<EncodedConfiguration> encoded = encode(task.space, task.annotation, configurations);
  return model ? model->embed(encoded) : posterior_input(encoded);
}

}  // namespace

// What a task's next configurations are chosen by, while they are being chosen.
class HyperFdPolicy::Ranking {
 public:
  // `population` gives the scales; its prior need not be set.
  Ranking(const HyperFdPolicy& policy, const TaskView& task, const RankingModel* model, PosteriorInput population)
      : policy_(policy),
        task_(task),
        model_(model),
        reads_results_(policy.reads_results(task, model)),
        posterior_(make_posterior(std::move(population))) {
    if (!reads_results_) return;
    for (const Configuration& configuration : task.pending)
      posterior_.add_pending(read(std::vector<Configuration>(1, configuration)));
  }

  // What the suggestion at `place` of the task is chosen by.
  std::vector<float> scores(const PosteriorInput& input, std::size_t place) const {
    const std::vector<double> values = policy_.seeks_improvement(task_, model_, place) ? posterior_.acquisition(input)
                                                                                       : posterior_.predict(input).mean;
    return {values.begin(), values.end()};
  }

  bool reads_results() const { return reads_results_; }
  void add_pending(const Configuration& configuration) {
    posterior_.add_pending(read(std::vector<Configuration>(1, configuration)));
  }

  PosteriorInput read(const std::vector<Configuration>& configurations) const {
    return with_prior(embedded(task_, model_, configurations));
  }
  PosteriorInput with_prior(PosteriorInput input) const {
    if (model_) model_->set_prior(own_, input, policy_.ranker_options_);
    return input;
  }

 private:
  PosteriorEnsemble make_posterior(PosteriorInput population) {
    own_.task = task_.name;
    own_.statistics = task_.statistics;
    own_.feature = task_.feature;
    std::vector<double> scores;
    std::vector<Configuration> telling;
    if (reads_results_) {
      std::vector<double> all;
      for (const ScoredConfiguration& result : task_.results) all.push_back(result.score);
      for (const std::size_t i : most_telling(all, policy_.ranker_options_.fit_results)) {
        telling.push_back(task_.results[i].configuration);
        scores.push_back(all[i]);
      }
    }
    return {policy_.uncertainty_,
            with_prior(std::move(population)),
            read(telling),
            scores,
            task_.space.encoding_columns(),
            model_ ? model_->tasks_beside(task_.name) : 0};
  }

  const HyperFdPolicy& policy_;
  const TaskView& task_;
  const RankingModel* model_;
  const bool reads_results_;
  TaskExperience own_;  // what is known of the data set
  PosteriorEnsemble posterior_;
};

HyperFdPolicy::HyperFdPolicy(PolicyOptions& options) : HyperFdPolicy(options, {}, "improvement", true) {}

HyperFdPolicy::HyperFdPolicy(PolicyOptions& options, const RankerOptions& defaults, const std::string& explore,
                             bool learns_within)
    : learns_within_(learns_within) {
  const std::string word = options.word("explore", explore, {"improvement", "random_half", "never"});
  exploration_ = word == "improvement"   ? Exploration::kImprovement
                 : word == "random_half" ? Exploration::kRandomHalf
                                         : Exploration::kNever;
  const std::string how = options.word("uncertainty", "bayesian", {"bayesian", "ensemble", "dropout"});
  uncertainty_ = how == "bayesian"   ? Uncertainty::kBayesian
                 : how == "ensemble" ? Uncertainty::kEnsemble
                                     : Uncertainty::kDropout;
  ranker_options_ = parse_ranker_options(options.take_rest(), defaults);
}

PaperPolicy::PaperPolicy(PolicyOptions& options) : HyperFdPolicy(options, paper_options(), "random_half", false) {}

std::shared_ptr<const HyperFdPolicy::Table> HyperFdPolicy::table(const TaskView& task,
                                                                 const RankingModel* model) const {
  const std::string key = (model ? std::to_string(model->identity()) : "") + "/" + task.space.identity() + "/" +
                          task.annotation.definition().dump();
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto found = tables_.find(key);
    if (found != tables_.end()) return found->second;
  }
  auto table = std::make_shared<Table>();
  table->configurations = Untaken(task.space, {}, task.annotation).enumerate();
  for (const Configuration& configuration : table->configurations) {
    table->keys.push_back(configuration_key(configuration));
  }
  table->input = embedded(task, model, table->configurations);
  const std::lock_guard<std::mutex> lock(mutex_);
  if (tables_.size() >= kTablesKept) tables_.clear();
  return tables_.emplace(key, std::move(table)).first->second;
}

bool HyperFdPolicy::reads_results(const TaskView& task, const RankingModel* model) const {
  if (!learns_within_) return false;
  return !model || model->tasks_beside(task.name) <= kFewTasks || task.taken.size() >= kRankedStart;
}

bool HyperFdPolicy::seeks_improvement(const TaskView& task, const RankingModel* model, std::size_t place) const {
  if (exploration_ != Exploration::kImprovement) return false;
  return !model || model->tasks_beside(task.name) < kManyTasks || place >= kExpectedStart;
}

bool HyperFdPolicy::is_random_place(const TaskView& task, const RankingModel* model, std::size_t place) const {
  if (exploration_ == Exploration::kNever) return false;
  if (exploration_ == Exploration::kRandomHalf) return place % 2 == 1;
  if (model && model->tasks_beside(task.name) <= kFewTasks && place < kRandomStart) return place % 2 == 1;
  const EncodingColumns columns = task.space.encoding_columns();
  const bool is_nested = std::any_of(columns.begin(), columns.end(), [](const auto& c) { return c.mask >= 0; });
  return is_nested && place % kRandomEvery == kRandomEvery - 1;
}

std::vector<Configuration> HyperFdPolicy::suggest(const TaskView& task, std::size_t count, Rng& rng) const {
  const RankingModel* model = task.model && task.model->trained() ? task.model : nullptr;
  // A ranker of a space whose annotation has changed reads something else.
  if (model && !(model->shape() == encoding_shape(task.space, task.annotation))) model = nullptr;
  // A ranking of nothing but this task's own results would count these twice.
  if (model && learns_within_ && model->tasks_beside(task.name) == 0) model = nullptr;
  if (!model && (!learns_within_ || task.results.size() < kRandomStart)) {
    return RandomPolicy().suggest(task, count, rng);
  }

  std::vector<Configuration> candidates;
  std::vector<float> scores;
  std::vector<std::size_t> left;
  std::shared_ptr<const Table> all;
  PosteriorInput input;  // of the candidates, as far as it is needed again
  std::optional<Ranking> ranking;
  std::size_t drawn = 0, place = task.taken.size();
  if (is_enumerated(task.space)) {
    all = table(task, model);
    ranking.emplace(*this, task, model, all->input);
    input = ranking->with_prior(all->input);
    scores = ranking->scores(input, place);
    drawn = all->configurations.size();
    for (const std::size_t i : rank(scores)) {
      if (!task.taken.contains(all->keys[i])) left.push_back(i);
    }
  } else {
    candidates = make_candidates(task, count, rng);
    drawn = candidates.size();
    const PosteriorInput population = embedded(task, model, candidates);
    ranking.emplace(*this, task, model, population);
    scores = ranking->scores(ranking->with_prior(population), place);
    if (learns_within_) {  // as published, what was drawn is ranked
      improve_candidates(
          task, candidates, scores,
          [&](const std::vector<Configuration>& some) { return ranking->scores(ranking->read(some), place); }, rng);
    }
    left = rank(scores);
    if (count > 1) input = ranking->read(candidates);
  }
  const std::vector<Configuration>& configurations = all ? all->configurations : candidates;

  std::vector<Configuration> suggestions;
  while (suggestions.size() < count && !left.empty()) {
    const bool is_random = is_random_place(task, model, place++);
    const std::size_t pick = is_random ? pick_randomly(left, drawn, rng) : left.front();
    suggestions.push_back(configurations[pick]);
    left.erase(std::find(left.begin(), left.end(), pick));
    if (!ranking->reads_results() || suggestions.size() >= std::min(count, kPendingLimit)) continue;
    ranking->add_pending(configurations[pick]);
    scores = ranking->scores(input, place);
    std::stable_sort(left.begin(), left.end(), [&](std::size_t a, std::size_t b) {
      return scores[a] != scores[b] ? scores[a] > scores[b] : a < b;
    });
  }
  return suggestions;
}

}  // namespace hyperfd
