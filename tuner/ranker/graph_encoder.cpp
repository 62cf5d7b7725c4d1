#include "tuner/ranker/graph_encoder.h"

#include <algorithm>
#include <cmath>

#include <torch/torch.h>

#include "tuner/ranker/tensors.h"

namespace hyperfd {
namespace {

constexpr double kSumScale = 1.0 / 16;  // of sums over all nodes of a graph

// Inverted dropout with masks from our own generator.
torch::Tensor drop(const torch::Tensor& hidden, double rate, Rng* rng) {
  if (!rng || rate <= 0) return hidden;
  at::Generator generator = at::detail::createCPUGenerator(rng->bits());
  return hidden * torch::empty_like(hidden).bernoulli_(1 - rate, generator) / (1 - rate);
}

}  // namespace

GraphBatch::GraphBatch(const std::vector<const Graph*>& graphs, std::int64_t feature_size)
    : count(static_cast<std::int64_t>(graphs.size())) {
  std::int64_t nodes = 0, edges = 0;
  for (const Graph* one : graphs) {
    nodes += static_cast<std::int64_t>(one->nodes());
    edges += static_cast<std::int64_t>(one->edges.size());
  }
  features = torch::empty({nodes, feature_size});
  from = torch::empty({edges}, torch::kInt64);
  to = torch::empty({edges}, torch::kInt64);
  graph = torch::empty({nodes}, torch::kInt64);
  float* next_features = features.data_ptr<float>();
  std::int64_t* next_from = from.data_ptr<std::int64_t>();
  std::int64_t* next_to = to.data_ptr<std::int64_t>();
  std::int64_t* next_graph = graph.data_ptr<std::int64_t>();
  std::int64_t first = 0;
  for (std::size_t i = 0; i < graphs.size(); ++i) {
    next_features = std::copy(graphs[i]->features.begin(), graphs[i]->features.end(), next_features);
    for (const auto& [a, b] : graphs[i]->edges) {
      *next_from++ = first + a;
      *next_to++ = first + b;
    }
    const auto size = static_cast<std::int64_t>(graphs[i]->nodes());
    next_graph = std::fill_n(next_graph, size, static_cast<std::int64_t>(i));
    first += size;
  }
}

GinEncoder::GinEncoder(std::int64_t features, std::int64_t units, Rng& rng) {
  const auto linear = [&rng](torch::Tensor& weight, torch::Tensor& bias, std::int64_t out, std::int64_t in) {
    const double bound = 1 / std::sqrt(static_cast<double>(std::max<std::int64_t>(in, 1)));
    weight = uniform_tensor({out, in}, bound, rng);
    bias = uniform_tensor({out}, bound, rng);
  };
  virtual_features_ = uniform_tensor({2, features}, 1, rng);
  for (Layer& layer : layers_) {
    layer.epsilon = torch::zeros({1});
    linear(layer.hidden_weight, layer.hidden_bias, units, &layer == layers_ ? features : units);
    linear(layer.output_weight, layer.output_bias, units, units);
  }
  linear(embedding_weight_, embedding_bias_, units, 2 * units);
}

torch::Tensor GinEncoder::forward(const GraphBatch& batch, double dropout_rate, Rng* dropout) const {
  const std::int64_t units = embedding_bias_.size(0);
  const torch::Tensor sizes = torch::zeros({batch.count}).index_add(0, batch.graph, torch::ones(batch.graph.sizes()));

  // First layer. The virtual nodes are the same in every graph before it.
  const Layer& first = layers_[0];
  const auto hidden_of = [&](const Layer& layer, const torch::Tensor& inputs) {
    return drop(torch::relu(torch::linear(inputs, layer.hidden_weight, layer.hidden_bias)), dropout_rate, dropout);
  };
  const torch::Tensor node_inputs = ((1 + first.epsilon) * batch.features + virtual_features_.sum(0))
                                        .index_add(0, batch.to, batch.features.index_select(0, batch.from));
  const torch::Tensor feature_sums =
      torch::zeros({batch.count, batch.features.size(1)}).index_add(0, batch.graph, batch.features);
  const torch::Tensor virtual_inputs = (1 + first.epsilon) * virtual_features_.unsqueeze(0) +
                                       kSumScale * feature_sums.unsqueeze(1);  // [graphs, 2, features]
  const torch::Tensor virtual_nodes =
      torch::linear(hidden_of(first, virtual_inputs), first.output_weight, first.output_bias);

  // Σ over nodes of (W h + b) = W Σ h + size · b.
  const torch::Tensor hidden_sums =
      torch::zeros({batch.count, units}).index_add(0, batch.graph, hidden_of(first, node_inputs));
  const torch::Tensor node_sums =
      torch::linear(hidden_sums, first.output_weight) + sizes.unsqueeze(1) * first.output_bias;

  // Second layer, of the virtual nodes.
  const Layer& second = layers_[1];
  const torch::Tensor inputs = (1 + second.epsilon) * virtual_nodes + kSumScale * node_sums.unsqueeze(1);
  const torch::Tensor outputs = torch::linear(hidden_of(second, inputs), second.output_weight, second.output_bias);
  return torch::linear(outputs.reshape({batch.count, 2 * units}), embedding_weight_, embedding_bias_);
}

std::vector<torch::Tensor> GinEncoder::parameters() const {
  std::vector<torch::Tensor> all = {virtual_features_};
  for (const Layer& layer : layers_) {
    all.insert(all.end(),
               {layer.epsilon, layer.hidden_weight, layer.hidden_bias, layer.output_weight, layer.output_bias});
  }
  all.insert(all.end(), {embedding_weight_, embedding_bias_});
  return all;
}

GinEncoder GinEncoder::clone() const {
  GinEncoder copy = *this;
  for (Layer& layer : copy.layers_) {
    for (torch::Tensor* tensor :
         {&layer.epsilon, &layer.hidden_weight, &layer.hidden_bias, &layer.output_weight, &layer.output_bias}) {
      *tensor = tensor->clone();
    }
  }
  for (torch::Tensor* tensor : {&copy.virtual_features_, &copy.embedding_weight_, &copy.embedding_bias_}) {
    *tensor = tensor->clone();
  }
  return copy;
}

}  // namespace hyperfd
