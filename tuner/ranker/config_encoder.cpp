#include "tuner/ranker/config_encoder.h"

#include <algorithm>
#include <cmath>

#include <torch/torch.h>

#include "tuner/ranker/tensors.h"

namespace hyperfd {

MlpEncoder::MlpEncoder(std::int64_t inputs, std::int64_t units, Rng& rng) {
  const auto bound = [](std::int64_t fan_in) {
    return 1 / std::sqrt(static_cast<double>(std::max<std::int64_t>(fan_in, 1)));
  };
  hidden_weight_ = uniform_tensor({units, inputs}, bound(inputs), rng);
  hidden_bias_ = uniform_tensor({units}, bound(inputs), rng);
  output_weight_ = uniform_tensor({units, units}, bound(units), rng);
  output_bias_ = uniform_tensor({units}, bound(units), rng);
}

MlpEncoder MlpEncoder::clone() const {
  MlpEncoder copy = *this;
  for (torch::Tensor* tensor : {&copy.hidden_weight_, &copy.hidden_bias_, &copy.output_weight_, &copy.output_bias_}) {
    *tensor = tensor->clone();
  }
  return copy;
}

torch::Tensor MlpEncoder::forward(const torch::Tensor& encodings) const {
  const torch::Tensor hidden = torch::relu(torch::linear(encodings, hidden_weight_, hidden_bias_));
  return torch::linear(hidden, output_weight_, output_bias_);
}

torch::Tensor MlpEncoder::scores(const torch::Tensor& encodings, const torch::Tensor& feature) const {
  constexpr std::int64_t kRows = 4096;  // at a time: their hidden units stay in the cache
  const torch::NoGradGuard no_grad;
  const torch::Tensor weights = torch::mv(output_weight_.t(), feature);
  const torch::Tensor offset = torch::dot(output_bias_, feature);
  const torch::Tensor transposed = hidden_weight_.t();
  const std::int64_t n = encodings.size(0);
  torch::Tensor scores = torch::empty({n});
  torch::Tensor hidden = torch::empty({std::min(n, kRows), weights.size(0)});
  for (std::int64_t begin = 0; begin < n; begin += kRows) {
    const std::int64_t end = std::min(begin + kRows, n);
    torch::Tensor some = hidden.slice(0, 0, end - begin);
    torch::addmm_out(some, hidden_bias_, encodings.slice(0, begin, end), transposed);
    torch::Tensor out = scores.slice(0, begin, end);
    torch::addmv_out(out, offset.expand({end - begin}), some.relu_(), weights);
  }
  return scores;
}

EncoderInput EncoderInput::select(const std::vector<std::int64_t>& rows) const {
  EncoderInput some;
  some.flat = flat.index_select(0, torch::tensor(rows, torch::kInt64));
  if (!graphs.empty()) {
    for (const std::int64_t row : rows) some.graphs.push_back(graphs[static_cast<std::size_t>(row)]);
  }
  return some;
}

EncoderInput EncoderInput::join(const std::vector<EncoderInput>& parts) {
  EncoderInput all;
  std::vector<torch::Tensor> flat;
  for (const EncoderInput& part : parts) {
    flat.push_back(part.flat);
    all.graphs.insert(all.graphs.end(), part.graphs.begin(), part.graphs.end());
  }
  all.flat = torch::cat(flat);
  return all;
}

ConfigEncoder::ConfigEncoder(const EncodingShape& shape, std::int64_t units, Rng& rng) {
  const auto nodes = static_cast<std::int64_t>(shape.node_features);
  if (shape.flat > 0 || nodes == 0) mlp_.emplace(static_cast<std::int64_t>(shape.flat), units, rng);
  if (nodes > 0) gin_.emplace(nodes, units, rng);
  if (mlp_ && gin_) {
    const double bound = 1 / std::sqrt(2.0 * static_cast<double>(units));
    fusion_weight_ = uniform_tensor({units, 2 * units}, bound, rng);
    fusion_bias_ = uniform_tensor({units}, bound, rng);
  }
}

EncoderInput ConfigEncoder::input(const std::vector<EncodedConfiguration>& configurations) const {
  const std::int64_t columns = mlp_ ? mlp_->inputs() : 0;
  EncoderInput input;
  input.flat = torch::empty({static_cast<std::int64_t>(configurations.size()), columns});
  float* next = input.flat.data_ptr<float>();
  for (const EncodedConfiguration& configuration : configurations) {
    if (mlp_) next = std::copy(configuration.flat.begin(), configuration.flat.end(), next);
    if (gin_) input.graphs.push_back(configuration.graph.get());
  }
  return input;
}

torch::Tensor ConfigEncoder::forward(const EncoderInput& input, double dropout_rate, Rng* dropout) const {
  if (!gin_) return mlp_->forward(input.flat);
  const torch::Tensor architecture = gin_->forward(GraphBatch(input.graphs, gin_->features()), dropout_rate, dropout);
  if (!mlp_) return architecture;
  return torch::linear(torch::relu(torch::cat({mlp_->forward(input.flat), architecture}, 1)), fusion_weight_,
                       fusion_bias_);
}

torch::Tensor ConfigEncoder::embed(const std::vector<EncodedConfiguration>& configurations) const {
  constexpr std::int64_t kGraphs = 128;  // at a time
  const torch::NoGradGuard no_grad;
  const EncoderInput all = input(configurations);
  if (!gin_) return forward(all);
  std::vector<torch::Tensor> rows;
  const std::int64_t count = all.flat.size(0);
  for (std::int64_t begin = 0; begin < count || rows.empty(); begin += kGraphs) {
    const std::int64_t end = std::min(begin + kGraphs, count);
    rows.push_back(forward({all.flat.slice(0, begin, end), {all.graphs.begin() + begin, all.graphs.begin() + end}}));
  }
  return torch::cat(rows);
}

EncodingShape ConfigEncoder::shape() const {
  return {static_cast<std::size_t>(mlp_ ? mlp_->inputs() : 0), static_cast<std::size_t>(gin_ ? gin_->features() : 0)};
}

ConfigEncoder ConfigEncoder::clone() const {
  ConfigEncoder copy = *this;
  if (mlp_) copy.mlp_ = mlp_->clone();
  if (gin_) copy.gin_ = gin_->clone();
  if (fusion_weight_.defined()) {
    copy.fusion_weight_ = fusion_weight_.clone();
    copy.fusion_bias_ = fusion_bias_.clone();
  }
  return copy;
}

std::vector<torch::Tensor> ConfigEncoder::parameters() const {
  std::vector<torch::Tensor> all;
  const auto add = [&all](const std::vector<torch::Tensor>& some) { all.insert(all.end(), some.begin(), some.end()); };
  if (mlp_) add(mlp_->parameters());
  if (gin_) add(gin_->parameters());
  if (fusion_weight_.defined()) add({fusion_weight_, fusion_bias_});
  return all;
}

}  // namespace hyperfd
