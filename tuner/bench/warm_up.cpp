#include "tuner/bench/warm_up.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <numeric>
#include <regex>
#include <thread>
#include <utility>

#include <torch/types.h>

#include "tuner/base/digest.h"
#include "tuner/base/error.h"
#include "tuner/base/parallel.h"
#include "tuner/platform/configuration_encoding.h"
#include "tuner/ranker/local_dataset_client.h"
#include "tuner/ranker/losses.h"
#include "tuner/ranker/single_thread.h"

namespace hyperfd {
namespace {

std::uint64_t seed_of(std::uint64_t seed, const std::string& purpose) {
  return stable_hash(std::to_string(seed) + "/warm-up/" + purpose);
}

double gain_of_order(const std::vector<float>& relevance, const std::vector<std::size_t>& order) {
  double sum = 0;
  for (std::size_t place = 0; place < order.size(); ++place) {
    sum += (std::exp2(static_cast<double>(relevance[order[place]])) - 1) / std::log2(static_cast<double>(place) + 2);
  }
  return sum;
}

// Indices by descending value; equal ones in their order.
std::vector<std::size_t> descending(const std::vector<float>& values) {
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return values[a] > values[b]; });
  return order;
}

class ValidationTask {
 public:
  // Relevances as by default, whatever the ranker learns by, so that rankers can be compared.
  explicit ValidationTask(TaskExperience experience)
      : experience_(std::move(experience)),
        relevance_(
            relevances(experience_.scores, RankerOptions().relevance_quantile, RankerOptions().relevance_scale)) {}

  bool tells_apart() const {
    return std::any_of(relevance_.begin(), relevance_.end(), [](float value) { return value > 0; });
  }

  // As a new task that has no results: what its data set says is all.
  double ndcg_of(const RankingModel& model, std::uint64_t seed) const {
    TaskExperience own;
    own.statistics = experience_.statistics;
    if (experience_.dataset && model.extractor_input()) {
      own.feature = experience_.dataset->forward(model.extractor_weights(), seed).feature;
    }
    return ndcg(model.score(own, experience_.encodings), relevance_);
  }

 private:
  TaskExperience experience_;
  std::vector<float> relevance_;
};

}  // namespace

RankerOptions warm_up_ranker(const RankerOptions& ranker) {
  const RankerOptions defaults;
  RankerOptions result = ranker;
  result.effects = true;
  if (ranker.warm_up_iterations > 0) result.learning_rate = ranker.warm_up_learning_rate;
  result.warm_up_learning_rate = defaults.warm_up_learning_rate;
  result.warm_up_iterations = 0;
  result.iterations_per_update = defaults.iterations_per_update;  // a round has iterations of its own
  result.train_extractor = true;                                  // one that is frozen later has been warmed up
  result.si_weight = 0;                                           // nothing to hold on to yet
  // All tasks are offline ones, with images that can be read again.
  result.offline_share = result.past_share = result.current_share = 1;
  result.transformation = defaults.transformation;
  result.transformation_steps = defaults.transformation_steps;
  result.transformation_learning_rate = defaults.transformation_learning_rate;
  result.transformation_interval = defaults.transformation_interval;
  // Heeded when rankings are used.
  result.network_share = defaults.network_share;
  result.fit_results = defaults.fit_results;
  return result;
}

double ndcg(const std::vector<float>& scores, const std::vector<float>& relevance) {
  const double best = gain_of_order(relevance, descending(relevance));
  return best > 0 ? gain_of_order(relevance, descending(scores)) / best : 1;
}

TaskExperience experience_of(const TableTask& task, const LookupTable& table, DatasetClient* dataset) {
  TaskExperience experience;
  experience.task = task.name;
  for (const TableEntry& entry : task.entries) {
    experience.encodings.push_back(encode(table.space, table.annotation, entry.configuration));
    experience.scores.push_back(entry.held_out());
  }
  experience.statistics = task.statistics;
  experience.dataset = dataset;
  experience.role = TaskRole::kOffline;
  return experience;
}

void add_extractor(RankingModel& model, const std::vector<const TableTask*>& tasks, std::uint64_t seed) {
  constexpr std::int64_t kImages = 32;  // of each task
  std::vector<std::vector<float>> sample;
  const DatasetFeatures* any = nullptr;
  for (const TableTask* task : tasks) {
    if (!task->has_images()) continue;
    any = task->features.get();
    const std::int64_t rows = std::min(any->images.size(0), kImages);
    const torch::Tensor inputs =
        torch::cat({any->images.slice(0, 0, rows), any->statistics_tensor().expand({rows, -1})}, 1).contiguous();
    for (std::int64_t i = 0; i < rows; ++i) {
      const float* row = inputs.data_ptr<float>() + i * inputs.size(1);
      sample.emplace_back(row, row + inputs.size(1));
    }
  }
  if (!any) return;
  model.add_extractor({any->extractor, static_cast<std::size_t>(any->images.size(1)), any->statistics.size()}, sample,
                      seed);
}

namespace {

// A ranker in training on some tasks of a table.
class Trainee {
 public:
  Trainee(const LookupTable& table, const std::vector<std::size_t>& tasks, const WarmUpOptions& options)
      : seed_(options.seed), model_(make_model(table, options)) {
    std::vector<const TableTask*> rows;
    for (const std::size_t t : tasks) {
      const TableTask& task = table.tasks[t];
      rows.push_back(&task);
      datasets_.push_back(task.has_images() ? std::make_unique<LocalDatasetClient>(*task.features) : nullptr);
      experience_.push_back(experience_of(task, table, datasets_.back().get()));
    }
    add_extractor(model_, rows, seed_of(seed_, "extractor"));
    const auto named =
        std::find_if(rows.begin(), rows.end(), [](const auto* task) { return !task->statistic_names.empty(); });
    if (named != rows.end()) model_.name_numbers((*named)->statistic_names);
  }

  // Effects are learned by all rounds from then on: they cost as much as a round, and the last one says all.
  void add_effects(const EncodingColumns& columns) { model_.add_effects(columns); }
  void train(int round) { model_.update(experience_, seed_of(seed_, "round " + std::to_string(round))); }
  const RankingModel& model() const { return model_; }

 private:
  static RankingModel make_model(const LookupTable& table, const WarmUpOptions& options) {
    RankerOptions ranker = warm_up_ranker(options.ranker);
    ranker.iterations_per_update = options.iterations;
    return {encoding_shape(table.space, table.annotation), ranker, seed_of(options.seed, "model")};
  }

  std::uint64_t seed_;
  std::vector<std::unique_ptr<LocalDatasetClient>> datasets_;
  std::vector<TaskExperience> experience_;
  RankingModel model_;
};

// A ranker that learns from all but a part of the tasks, and is asked for that part.
class Fold {
 public:
  Fold(const LookupTable& table, const std::vector<std::size_t>& training, const std::vector<std::size_t>& validation,
       const WarmUpOptions& options)
      : seed_(options.seed), trainee_(table, training, options) {
    for (const std::size_t t : validation) {
      const TableTask& task = table.tasks[t];
      datasets_.push_back(task.has_images() ? std::make_unique<LocalDatasetClient>(*task.features) : nullptr);
      ValidationTask own(experience_of(task, table, datasets_.back().get()));
      if (own.tells_apart()) validation_.push_back(std::move(own));
    }
  }

  // Validation tasks that tell configurations apart.
  std::size_t size() const { return validation_.size(); }

  // The sum of NDCG over these tasks after this round of training; round 0 is before any.
  double ndcg_after(int round) {
    if (round > 0) trainee_.train(round);
    double sum = 0;
    for (const ValidationTask& task : validation_) sum += task.ndcg_of(trainee_.model(), seed_of(seed_, "sample"));
    return sum;
  }

 private:
  std::uint64_t seed_;
  Trainee trainee_;
  std::vector<std::unique_ptr<LocalDatasetClient>> datasets_;
  std::vector<ValidationTask> validation_;
};

}  // namespace

namespace {

// The tasks of `order` in parts, each of which validates a ranker of the others.
std::vector<std::vector<std::size_t>> validation_parts(const LookupTable& table, const std::vector<std::size_t>& order,
                                                       const WarmUpOptions& options) {
  std::vector<std::vector<std::size_t>> parts(options.apart.empty() ? static_cast<std::size_t>(options.folds) : 2);
  std::regex apart;
  try {
    apart = std::regex(options.apart);
  } catch (const std::regex_error&) {
    throw InputError("apart: expected a regular expression, got \"" + options.apart + "\"");
  }
  for (std::size_t i = 0; i < order.size(); ++i) {
    const bool matches = !options.apart.empty() && std::regex_search(table.tasks[order[i]].name, apart);
    parts[options.apart.empty() ? i % parts.size() : matches].push_back(order[i]);
  }
  if (!options.apart.empty() && (parts[0].empty() || parts[1].empty())) {
    throw InputError("apart: expected a regular expression that some names of tasks match and some do not, got \"" +
                     options.apart + "\"");
  }
  parts.erase(std::remove_if(parts.begin(), parts.end(), [](const auto& part) { return part.empty(); }), parts.end());
  return parts;
}

// The tasks to learn from, in the order that parts are made by.
std::vector<std::size_t> shuffled_tasks(const LookupTable& table, const WarmUpOptions& options) {
  std::vector<std::size_t> order;
  for (std::size_t t = 0; t < table.tasks.size(); ++t) {
    if (table.tasks[t].offline || !options.offline_only) order.push_back(t);
  }
  if (order.size() < 2) throw InputError("warm-up: expected at least two tasks, some of them to validate on");
  Rng(seed_of(options.seed, "validation tasks")).shuffle(order);
  return order;
}

}  // namespace

WarmUpLength warm_up_length(const LookupTable& table, const WarmUpOptions& options) {
  const std::vector<std::size_t> order = shuffled_tasks(table, options);
  std::vector<std::unique_ptr<Fold>> folds;
  for (const std::vector<std::size_t>& validation : validation_parts(table, order, options)) {
    std::vector<std::size_t> training;
    for (const std::size_t t : order) {
      if (std::find(validation.begin(), validation.end(), t) == validation.end()) training.push_back(t);
    }
    folds.push_back(std::make_unique<Fold>(table, training, validation, options));
  }

  std::size_t validated = 0;
  for (const auto& fold : folds) validated += fold->size();
  if (validated == 0) throw InputError("warm-up: no task tells configurations apart");

  WarmUpLength best{0, -1};
  for (int round = 0; round <= options.rounds && round <= best.rounds + options.patience; ++round) {
    std::vector<double> sums(folds.size());
    for_each_in_parallel(folds.size(), std::max(1u, std::thread::hardware_concurrency()), [&](std::size_t fold) {
      const SingleThread single_thread;
      sums[fold] = folds[fold]->ndcg_after(round);
    });
    const double now = std::accumulate(sums.begin(), sums.end(), 0.0) / static_cast<double>(validated);
    if (options.on_round) options.on_round(round, now);
    if (now > best.ndcg) best = {round, now};
  }
  return best;
}

RankingModel warm_up(const LookupTable& table, const WarmUpOptions& options, int rounds) {
  const SingleThread single_thread;
  Trainee trainee(table, shuffled_tasks(table, options), options);
  rounds = std::max(rounds, 1);  // effects need one
  for (int round = 1; round <= rounds; ++round) {
    if (round == rounds) trainee.add_effects(table.space.encoding_columns());
    trainee.train(round);
    if (options.on_final_round) options.on_final_round(round, rounds);
  }
  return RankingModel::deserialize(trainee.model().serialize(), options.ranker);
}

}  // namespace hyperfd
