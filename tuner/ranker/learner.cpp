#include "tuner/ranker/learner.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <utility>

#include <torch/torch.h>

#include "tuner/ranker/feature_transformer.h"
#include "tuner/ranker/local_dataset_client.h"
#include "tuner/ranker/losses.h"
#include "tuner/ranker/synaptic_intelligence.h"
#include "tuner/ranker/task_sampler.h"
#include "tuner/ranker/tensors.h"

namespace hyperfd {
namespace {

struct LearningTask {
  std::string name;
  TaskRole role;
  std::int64_t index = 0;  // in ranker.tasks
  EncoderInput input;
  torch::Tensor relevance;  // [results]
  torch::Tensor numbers;    // [numbers], standardised; zeros: not known
  DatasetClient* dataset;   // nullptr: cannot be asked
};

// A few tasks and some of their results.
struct Batch {
  std::vector<LearningTask*> tasks;
  std::vector<EncoderInput> inputs;
  std::vector<torch::Tensor> relevance;
};

// The constants that standardise the numbers of tasks, over the tasks that have them; no numbers, no constants. Those
// of a network that learns nothing stay: what it makes of a number would change.
void set_number_constants(Ranker& ranker, const std::vector<TaskExperience>& experience, int iterations) {
  std::int64_t count = ranker.number_count();
  if (count > 0 && iterations == 0) return;
  std::vector<torch::Tensor> rows;
  for (const TaskExperience& task : experience) {
    const auto size = static_cast<std::int64_t>(task.statistics.size());
    if (size == 0) continue;
    if (count == 0) count = size;
    if (size == count) rows.push_back(torch::tensor(task.statistics, torch::kFloat64).to(torch::kFloat32));
  }
  if (rows.empty()) return;
  const torch::Tensor all = torch::stack(rows);
  const torch::Tensor deviation = all.std(0, /*unbiased=*/false);
  ranker.number_shift = all.mean(0);
  ranker.number_scale = torch::where(deviation > 1e-9, deviation, torch::ones_like(deviation));
  if (ranker.number_count() == 0) ranker.number_map = torch::zeros({ranker.units(), count});
}

// A meta-feature that came outside of an update counts until the data set answers within one.
void remember_feature(Ranker& ranker, const TaskExperience& task) {
  if (task.feature.empty() || !ranker.versions.count(ranker.version) || ranker.seen.count(task.task)) return;
  ranker.seen[task.task] = {ranker.version, torch::tensor(task.feature, torch::kFloat32)};
}

// Rows of tensors of different lengths, padded to one: [tensors, longest, …].
torch::Tensor padded(const std::vector<torch::Tensor>& rows) {
  return torch::nn::utils::rnn::pad_sequence(rows, /*batch_first=*/true);
}

class Update {
 public:
  Update(Ranker& ranker, std::vector<LearningTask> tasks, const RankerOptions& options, bool warm_up, Rng& rng)
      : ranker_(ranker),
        tasks_(std::move(tasks)),
        options_(options),
        rng_(rng),
        iterations_(warm_up ? options.warm_up_iterations : options.iterations_per_update),
        trains_extractor_(ranker.extractor && options.train_extractor &&
                          std::any_of(tasks_.begin(), tasks_.end(), [&](const auto& task) { return is_live(task); })),
        transformer_(ranker, offline_datasets(tasks_), options),
        sampler_(roles(tasks_), options),
        synaptic_(ranker.synaptic_weights(), ranker.importance),
        parameters_(all_parameters()),
        optimizer_(parameters_,
                   torch::optim::AdamWOptions(warm_up ? options.warm_up_learning_rate : options.learning_rate)
                       .weight_decay(options.weight_decay)) {
    for (torch::Tensor& parameter : parameters_) parameter.requires_grad_();
  }

  void run() {
    for (int iteration = 0; iteration < iterations_; ++iteration) {
      compute_gradient(iteration);
      if (holds_weights()) {
        observe();
        add_penalty();
      }
      optimizer_.step();
    }
    if (holds_weights()) {
      compute_gradient(iterations_);
      observe();
    }
    for (torch::Tensor& parameter : parameters_) {
      parameter.requires_grad_(false);
      parameter.mutable_grad() = torch::Tensor();
    }
    if (holds_weights()) ranker_.importance = synaptic_.finish(ranker_.synaptic_weights(), options_.si_damping);
    if (!ranker_.extractor) return;
    if (trains_extractor_ || ranker_.versions.empty()) transformer_.finish();
    store_features();
  }

 private:
  static std::map<std::string, DatasetClient*> offline_datasets(const std::vector<LearningTask>& tasks) {
    std::map<std::string, DatasetClient*> datasets;
    for (const LearningTask& task : tasks) {
      if (task.role == TaskRole::kOffline && task.dataset) datasets.emplace(task.name, task.dataset);
    }
    return datasets;
  }

  static std::vector<TaskRole> roles(const std::vector<LearningTask>& tasks) {
    std::vector<TaskRole> roles;
    for (const LearningTask& task : tasks) roles.push_back(task.role);
    return roles;
  }

  static bool is_live(const LearningTask& task) { return task.dataset && task.role != TaskRole::kPast; }

  // Without images every experience is replayed: there is nothing to forget.
  bool holds_weights() const { return ranker_.extractor && options_.si_weight > 0; }

  std::vector<torch::Tensor> all_parameters() const {
    std::vector<torch::Tensor> all = ranker_.encoder.parameters();
    all.push_back(ranker_.mean_feature);
    if (options_.deviations) all.push_back(ranker_.deviations);
    if (ranker_.number_count() > 0) all.push_back(ranker_.number_map);
    if (trains_extractor_) {
      for (const torch::Tensor& tensor : ranker_.extractor->parameters()) all.push_back(tensor);
    }
    return all;
  }

  Batch draw_batch() {
    Batch batch;
    for (const std::size_t i : sampler_.draw(rng_)) batch.tasks.push_back(&tasks_[i]);
    // Data sets that can be asked come first, for the triplet loss.
    std::stable_partition(batch.tasks.begin(), batch.tasks.end(), [](const auto* task) { return is_live(*task); });
    for (const LearningTask* task : batch.tasks) {
      const std::vector<std::int64_t> rows = draw_some(task->relevance.size(0), options_.results_per_iteration, rng_);
      batch.inputs.push_back(task->input.select(rows));
      batch.relevance.push_back(task->relevance.index_select(0, torch::tensor(rows)));
    }
    return batch;
  }

  // A data set that is gone is a past task from now on.
  std::optional<MetaFeaturePair> ask(LearningTask& task, const std::vector<float>& weights, std::uint64_t seed) {
    try {
      return task.dataset->forward(weights, seed);
    } catch (const DatasetUnreachable&) {
      task.dataset = nullptr;
      return std::nullopt;
    }
  }

  // Meta-features of a batch's tasks: those that learn, `live`, and constants of the others.
  struct BatchFeatures {
    std::vector<LearningTask*> live;    // data sets in this process first, whose features are in the graph of G
    torch::Tensor features, twins;      // [live, units]
    std::vector<LearningTask*> remote;  // the rest of the live ones
    torch::Tensor remote_features, remote_twins;  // [remote, units]; leaves of the graph
    torch::Tensor rest;                           // [others, units], zero where there are no images
    std::vector<bool> known;                      // of the others: there are images
  };

  BatchFeatures features_of(Batch& batch, int iteration) {
    BatchFeatures result;
    std::vector<torch::Tensor> features, twins, rest;
    std::vector<LearningTask*> others;
    std::vector<LocalDatasetClient*> local;
    std::vector<std::uint64_t> seeds;
    std::vector<std::int64_t> versions;
    std::vector<float> weights;  // for data sets elsewhere
    const auto tensor = [](const std::vector<float>& numbers) { return torch::tensor(numbers, torch::kFloat32); };
    for (LearningTask* task : batch.tasks) {
      std::optional<MetaFeaturePair> pair;
      if (ranker_.extractor && task->dataset) {
        const std::uint64_t seed = rng_.bits();
        if (is_live(*task) && task->dataset->local()) {
          result.live.push_back(task);
          local.push_back(task->dataset->local());
          seeds.push_back(seed);
          continue;
        }
        if (weights.empty()) weights = ranker_.extractor->flat();
        pair = ask(*task, weights, seed);
      }
      if (pair && is_live(*task)) {
        result.remote.push_back(task);
        features.push_back(tensor(pair->feature));
        twins.push_back(tensor(pair->twin));
        continue;
      }
      others.push_back(task);
      rest.push_back(pair ? tensor(pair->feature) : torch::Tensor());
      if (!pair && options_.images && ranker_.seen.count(task->name))
        versions.push_back(ranker_.seen.at(task->name).version);
    }
    if (!versions.empty()) transformer_.prepare(iteration, versions);
    for (std::size_t i = 0; i < others.size(); ++i) {
      if (!rest[i].defined() && options_.images) rest[i] = ranker_.stored_feature(others[i]->name);
      result.known.push_back(rest[i].defined());
      if (!rest[i].defined()) rest[i] = torch::zeros({ranker_.units()});
    }
    const auto stacked = [&](const std::vector<torch::Tensor>& rows) {
      return rows.empty() ? torch::zeros({0, ranker_.units()}) : torch::stack(rows);
    };
    result.remote_features = stacked(features).set_requires_grad(trains_extractor_);
    result.remote_twins = stacked(twins).set_requires_grad(trains_extractor_);
    result.features = result.remote_features;
    result.twins = result.remote_twins;
    if (!local.empty()) {
      const torch::AutoGradMode with_graph(trains_extractor_);
      const torch::Tensor pairs = LocalDatasetClient::pairs_of(*ranker_.extractor, local, seeds);
      result.features = torch::cat({pairs.select(1, 0), result.remote_features});
      result.twins = torch::cat({pairs.select(1, 1), result.remote_twins});
    }
    result.rest = stacked(rest);
    result.live.insert(result.live.end(), result.remote.begin(), result.remote.end());
    // A task that was asked in vain goes behind those that answered.
    std::vector<LearningTask*> order = result.live;
    order.insert(order.end(), others.begin(), others.end());
    reorder(batch, order);
    return result;
  }

  static void reorder(Batch& batch, const std::vector<LearningTask*>& order) {
    if (order == batch.tasks) return;
    Batch result;
    for (LearningTask* task : order) {
      const auto at =
          static_cast<std::size_t>(std::find(batch.tasks.begin(), batch.tasks.end(), task) - batch.tasks.begin());
      result.tasks.push_back(task);
      result.inputs.push_back(batch.inputs[at]);
      result.relevance.push_back(batch.relevance[at]);
    }
    batch = std::move(result);
  }

  // φᵀ H(c) of every result of the batch, padded: [tasks, results].
  torch::Tensor predictions_of(const Batch& batch, const torch::Tensor& features) {
    std::vector<std::int64_t> sizes;
    for (const torch::Tensor& rows : batch.relevance) sizes.push_back(rows.size(0));
    const torch::Tensor embeddings = ranker_.encoder.forward(EncoderInput::join(batch.inputs), options_.dropout, &rng_);
    const torch::Tensor rows = features.repeat_interleave(torch::tensor(sizes), 0);
    return padded((embeddings * rows).sum(1).split_with_sizes(sizes));
  }

  void compute_gradient(int iteration) {
    Batch batch = draw_batch();
    const BatchFeatures images = features_of(batch, iteration);
    std::vector<torch::Tensor> numbers, valid;
    std::vector<std::int64_t> index;
    for (std::size_t i = 0; i < batch.tasks.size(); ++i) {
      numbers.push_back(batch.tasks[i]->numbers);
      index.push_back(batch.tasks[i]->index);
      valid.push_back(torch::ones({batch.relevance[i].size(0)}, torch::kBool));
    }
    torch::Tensor feature = ranker_.mean_feature + torch::cat({images.features, images.rest});
    torch::Tensor penalty = torch::zeros({});
    if (ranker_.number_count() > 0) {
      feature = feature + torch::mm(torch::stack(numbers), ranker_.number_map.t());
      penalty = options_.deviation_penalty * ranker_.number_map.square().sum();
    }
    if (options_.deviations) {
      const torch::Tensor deviation = ranker_.deviations.index_select(0, torch::tensor(index));
      feature = feature + deviation;
      penalty = penalty + options_.deviation_penalty * deviation.square().sum(1).mean();
    }
    if (images.features.size(0) > 0) {
      penalty = penalty + options_.image_penalty * images.features.square().sum(1).mean();
    }
    const torch::Tensor ranking =
        task_losses(predictions_of(batch, feature), padded(batch.relevance), padded(valid), options_).mean();
    torch::Tensor loss = ranking + penalty;
    if (trains_extractor_ && options_.triplet_weight > 0) {
      std::vector<torch::Tensor> seen = {images.features};
      for (std::size_t i = 0; i < images.known.size(); ++i) {
        if (images.known[i])
          seen.push_back(images.rest.slice(0, static_cast<std::int64_t>(i), static_cast<std::int64_t>(i) + 1));
      }
      loss = loss + options_.triplet_weight * triplet_loss(torch::cat(seen), images.twins, options_.triplet_margin);
    }
    optimizer_.zero_grad();
    loss.backward();
    if (trains_extractor_) send_gradients(images);
  }

  // ∂loss/∂φ goes to the data sets elsewhere, ∂loss/∂θ_G comes back, onto what those in this process give.
  void send_gradients(const BatchFeatures& images) {
    const auto row = [](const torch::Tensor& gradients, std::size_t i, std::int64_t units) {
      return gradients.defined() ? flatten({gradients[static_cast<std::int64_t>(i)]})
                                 : std::vector<float>(static_cast<std::size_t>(units));
    };
    const std::vector<torch::Tensor> all = ranker_.extractor->all_weights(), learned = ranker_.extractor->parameters();
    for (const torch::Tensor& weights : learned) {
      if (!weights.grad().defined()) weights.mutable_grad() = torch::zeros_like(weights);
    }
    for (std::size_t i = 0; i < images.remote.size(); ++i) {
      const MetaFeaturePair gradient = {row(images.remote_features.grad(), i, ranker_.units()),
                                        row(images.remote_twins.grad(), i, ranker_.units())};
      std::vector<torch::Tensor> part;
      for (const torch::Tensor& weights : all) part.push_back(torch::empty_like(weights).detach());
      try {
        unflatten(images.remote[i]->dataset->backward(gradient), part);
      } catch (const DatasetUnreachable&) {
        images.remote[i]->dataset = nullptr;
        continue;
      }
      const std::size_t constants = all.size() - learned.size();
      for (std::size_t k = 0; k < learned.size(); ++k) learned[k].mutable_grad() += part[constants + k];
    }
    if (options_.attention) return;
    for (const torch::Tensor& weights : ranker_.extractor->attention_output()) weights.mutable_grad().zero_();
  }

  std::vector<torch::Tensor> synaptic_gradient() const {
    std::vector<torch::Tensor> gradient;
    for (const torch::Tensor& weights : ranker_.synaptic_weights()) {
      gradient.push_back(weights.grad().defined() ? weights.grad() : torch::zeros_like(weights));
    }
    return gradient;
  }

  void observe() { synaptic_.observe(ranker_.synaptic_weights(), synaptic_gradient()); }

  void add_penalty() {
    const torch::NoGradGuard no_grad;
    const std::vector<torch::Tensor> weights = ranker_.synaptic_weights();
    const std::vector<torch::Tensor> gradient = synaptic_.penalty_gradient(weights);
    for (std::size_t i = 0; i < weights.size(); ++i) {
      if (weights[i].grad().defined()) weights[i].mutable_grad().add_(gradient[i], options_.si_weight);
    }
  }

  // Meta-features of data sets that can be asked now and not later.
  void store_features() {
    const std::vector<float> weights = ranker_.extractor->flat();
    for (LearningTask& task : tasks_) {
      if (task.role == TaskRole::kOffline || !task.dataset) continue;
      if (const auto pair = ask(task, weights, rng_.bits())) {
        ranker_.seen[task.name] = {ranker_.version, torch::tensor(pair->feature, torch::kFloat32)};
      }
    }
  }

  Ranker& ranker_;
  std::vector<LearningTask> tasks_;
  const RankerOptions& options_;
  Rng& rng_;
  int iterations_;
  bool trains_extractor_;
  FeatureTransformer transformer_;
  TaskSampler sampler_;
  SynapticIntelligence synaptic_;
  std::vector<torch::Tensor> parameters_;
  torch::optim::AdamW optimizer_;
};

}  // namespace

bool learn(Ranker& ranker, const std::vector<TaskExperience>& experience, const RankerOptions& options, bool warm_up,
           Rng& rng) {
  std::vector<LearningTask> tasks;
  std::vector<const TaskExperience*> used;
  for (const TaskExperience& task : experience) {
    if (task.scores.size() < 2) continue;
    const std::vector<float> relevance = relevances(task.scores, options.relevance_quantile, options.relevance_scale);
    if (*std::max_element(relevance.begin(), relevance.end()) <= 0) continue;
    const bool asks =
        options.images && (task.role != TaskRole::kPast || options.transformation == TransformationKind::kOracle);
    tasks.push_back({task.task,
                     task.role,
                     0,
                     ranker.encoder.input(task.encodings),
                     torch::tensor(relevance),
                     {},
                     asks ? task.dataset : nullptr});
    used.push_back(&task);
  }
  // Where only tasks remain that the options give no share, there is nothing to draw.
  const auto is_drawn = [&](const LearningTask& task) {
    return (task.role == TaskRole::kOffline ? options.offline_share
            : task.role == TaskRole::kPast  ? options.past_share
                                            : options.current_share) > 0;
  };
  if (std::none_of(tasks.begin(), tasks.end(), is_drawn)) return false;
  std::vector<std::string> names;
  for (const LearningTask& task : tasks) names.push_back(task.name);
  const std::vector<std::int64_t> indices = ranker.find_or_add(names);
  set_number_constants(ranker, experience, options.iterations_per_update);
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    tasks[i].index = indices[i];
    tasks[i].numbers = ranker.standardised(options.numbers ? used[i]->statistics : std::vector<double>());
    if (options.images) remember_feature(ranker, *used[i]);
  }
  Update(ranker, std::move(tasks), options, warm_up && options.warm_up_iterations > 0, rng).run();
  return true;
}

}  // namespace hyperfd
