#include "tuner/ranker/learner.h"

#include <algorithm>
#include <numeric>

#include <torch/torch.h>

#include "tuner/ranker/losses.h"
#include "tuner/ranker/tensors.h"

namespace hyperfd {
namespace {

struct TaskTensors {
  std::int64_t index;       // in ranker.tasks
  torch::Tensor encodings;  // [results, inputs]
  torch::Tensor relevance;  // [results]
};

// A few tasks padded to one length.
struct Batch {
  torch::Tensor encodings;  // [tasks, results, inputs]
  torch::Tensor relevance;  // [tasks, results]
  torch::Tensor valid;      // [tasks, results]
  torch::Tensor index;      // [tasks]
};

// `count` of {0, …, n − 1} without repetition; all of them in order when there are no more.
std::vector<std::int64_t> draw_some(std::int64_t n, std::int64_t count, Rng& rng) {
  std::vector<std::int64_t> all(static_cast<std::size_t>(n));
  std::iota(all.begin(), all.end(), 0);
  if (n <= count) return all;
  rng.shuffle(all);
  all.resize(static_cast<std::size_t>(count));
  return all;
}

Batch draw_batch(const std::vector<TaskTensors>& tasks, const RankerOptions& options, Rng& rng) {
  std::vector<torch::Tensor> encodings, relevance, valid;
  std::vector<std::int64_t> index;
  for (const std::int64_t i : draw_some(static_cast<std::int64_t>(tasks.size()), options.tasks_per_iteration, rng)) {
    const TaskTensors& task = tasks[static_cast<std::size_t>(i)];
    const torch::Tensor rows = torch::tensor(draw_some(task.relevance.size(0), options.results_per_iteration, rng));
    encodings.push_back(task.encodings.index_select(0, rows));
    relevance.push_back(task.relevance.index_select(0, rows));
    valid.push_back(torch::ones({rows.size(0)}, torch::kBool));
    index.push_back(task.index);
  }
  const auto padded = [](const std::vector<torch::Tensor>& rows) {
    return torch::nn::utils::rnn::pad_sequence(rows, /*batch_first=*/true);
  };
  return {padded(encodings), padded(relevance), padded(valid), torch::tensor(index)};
}

}  // namespace

bool learn(Ranker& ranker, const std::vector<TaskExperience>& experience, const RankerOptions& options, Rng& rng) {
  std::vector<TaskTensors> tasks;
  std::vector<std::string> names;
  const auto inputs = static_cast<std::size_t>(ranker.inputs());
  for (const TaskExperience& task : experience) {
    if (task.scores.size() < 2) continue;
    const std::vector<float> relevance = relevances(task.scores, options.relevance_quantile, options.relevance_scale);
    if (*std::max_element(relevance.begin(), relevance.end()) <= 0) continue;
    tasks.push_back({0, matrix(task.encodings, inputs), torch::tensor(relevance)});
    names.push_back(task.task);
  }
  if (tasks.empty()) return false;
  const std::vector<std::int64_t> indices = ranker.find_or_add(names);
  for (std::size_t i = 0; i < tasks.size(); ++i) tasks[i].index = indices[i];

  std::vector<torch::Tensor> parameters = ranker.parameters();
  for (torch::Tensor& parameter : parameters) parameter.requires_grad_();
  torch::optim::AdamW optimizer(parameters,
                                torch::optim::AdamWOptions(options.learning_rate).weight_decay(options.weight_decay));
  for (int iteration = 0; iteration < options.iterations_per_update; ++iteration) {
    const Batch batch = draw_batch(tasks, options, rng);
    const torch::Tensor deviation = ranker.deviations.index_select(0, batch.index);
    const torch::Tensor feature = ranker.mean_feature + deviation;
    const torch::Tensor predictions =
        torch::matmul(ranker.encoder.forward(batch.encodings), feature.unsqueeze(2)).squeeze(2);  // φᵀ H(c)
    const torch::Tensor loss = ranking_loss(predictions, batch.relevance, batch.valid).mean() +
                               options.deviation_penalty * deviation.square().sum(1).mean();
    optimizer.zero_grad();
    loss.backward();
    optimizer.step();
  }
  for (torch::Tensor& parameter : parameters) parameter.requires_grad_(false);
  return true;
}

}  // namespace hyperfd
