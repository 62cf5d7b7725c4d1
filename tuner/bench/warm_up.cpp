#include "tuner/bench/warm_up.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <numeric>
#include <utility>

#include <torch/types.h>

#include "tuner/base/digest.h"
#include "tuner/base/error.h"
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
  ValidationTask(TaskExperience experience, const RankerOptions& options)
      : experience_(std::move(experience)),
        relevance_(relevances(experience_.scores, options.relevance_quantile, options.relevance_scale)) {}

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

double ndcg(const std::vector<float>& scores, const std::vector<float>& relevance) {
  const double best = gain_of_order(relevance, descending(relevance));
  return best > 0 ? gain_of_order(relevance, descending(scores)) / best : 1;
}

TaskExperience experience_of(const TableTask& task, const LookupTable& table, DatasetClient* dataset) {
  TaskExperience experience;
  experience.task = task.name;
  for (const TableEntry& entry : task.entries) {
    experience.encodings.push_back(encode(table.space, table.annotation, entry.configuration));
    experience.scores.push_back(entry.validation);
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
    if (!task->features || task->features->images.size(0) == 0) continue;
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

WarmUpResult warm_up(const LookupTable& table, const WarmUpOptions& options) {
  const SingleThread single_thread;
  std::vector<std::size_t> order;
  for (std::size_t t = 0; t < table.tasks.size(); ++t) {
    if (table.tasks[t].offline || !options.offline_only) order.push_back(t);
  }
  if (order.size() < 2) throw InputError("warm-up: expected at least two tasks, one of them to validate on");
  Rng(seed_of(options.seed, "validation tasks")).shuffle(order);
  const auto wanted = static_cast<std::size_t>(options.validation_share * static_cast<double>(order.size()));
  const std::size_t validation_tasks = std::clamp<std::size_t>(wanted, 1, order.size() - 1);

  RankerOptions ranker = options.ranker;
  ranker.iterations_per_update = options.iterations;
  if (ranker.warm_up_iterations > 0) ranker.learning_rate = ranker.warm_up_learning_rate;
  ranker.warm_up_iterations = 0;
  ranker.si_weight = 0;  // nothing to hold on to yet
  std::vector<std::unique_ptr<LocalDatasetClient>> datasets;
  std::vector<TaskExperience> training;
  std::vector<const TableTask*> training_tasks;
  std::vector<ValidationTask> validation;
  std::vector<std::string> names;
  for (std::size_t i = 0; i < order.size(); ++i) {
    const TableTask& task = table.tasks[order[i]];
    if (task.features && task.features->images.size(0) > 0) {
      datasets.push_back(std::make_unique<LocalDatasetClient>(*task.features));
    } else {
      datasets.push_back(nullptr);
    }
    TaskExperience experience = experience_of(task, table, datasets.back().get());
    if (i < validation_tasks) {
      validation.emplace_back(std::move(experience), ranker);
      names.push_back(task.name);
    } else {
      training.push_back(std::move(experience));
      training_tasks.push_back(&task);
    }
  }

  RankingModel model(encoding_shape(table.space, table.annotation), ranker, seed_of(options.seed, "model"));
  add_extractor(model, training_tasks, seed_of(options.seed, "extractor"));
  model.name_numbers(table.tasks[order.back()].statistic_names);
  const auto validate = [&] {
    double sum = 0;
    for (const ValidationTask& task : validation) sum += task.ndcg_of(model, seed_of(options.seed, "sample"));
    return sum / static_cast<double>(validation.size());
  };
  std::string best;
  int best_round = 0;
  double best_ndcg = -1;
  for (int round = 0; round <= options.rounds && round <= best_round + options.patience; ++round) {
    if (round > 0) model.update(training, seed_of(options.seed, "round " + std::to_string(round)));
    const double now = validate();
    if (options.on_round) options.on_round(round, now);
    if (now <= best_ndcg) continue;
    best_ndcg = now;
    best_round = round;
    best = model.serialize();
  }
  return {RankingModel::deserialize(best, options.ranker), best_round, best_ndcg, names};
}

}  // namespace hyperfd
