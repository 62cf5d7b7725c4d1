#include "tuner/baselines/joint_predictor.h"

#include <cmath>
#include <utility>

#include <torch/torch.h>

#include "tuner/base/rng.h"

namespace hyperfd {
namespace {

constexpr std::int64_t kHidden = 64;
constexpr std::size_t kBatch = 64;
constexpr int kBatches = 300;
constexpr double kLearningRate = 3e-3;

torch::Tensor as_tensor(const std::vector<std::vector<float>>& rows) {
  const auto columns = static_cast<std::int64_t>(rows.empty() ? 0 : rows[0].size());
  torch::Tensor tensor = torch::empty({static_cast<std::int64_t>(rows.size()), columns});
  float* out = tensor.data_ptr<float>();
  for (const std::vector<float>& row : rows) out = std::copy(row.begin(), row.end(), out);
  return tensor;
}

}  // namespace

struct JointPredictor::Network {
  std::vector<torch::Tensor> weights, biases;  // weights [outputs, inputs]

  Network(std::int64_t inputs, Rng& rng) {
    for (const std::int64_t outputs : {kHidden, kHidden, std::int64_t{1}}) {
      torch::Tensor layer = torch::empty({outputs, inputs});
      const double deviation = std::sqrt(2.0 / static_cast<double>(inputs));  // He et al. 2015
      float* values = layer.data_ptr<float>();
      for (std::int64_t i = 0; i < layer.numel(); ++i) values[i] = static_cast<float>(deviation * rng.normal());
      weights.push_back(layer);
      biases.push_back(torch::zeros({outputs}));
      inputs = outputs;
    }
  }

  torch::Tensor forward(torch::Tensor x) const {
    for (std::size_t i = 0; i < weights.size(); ++i) {
      x = torch::addmm(biases[i], x, weights[i].t());
      if (i + 1 < weights.size()) x = torch::relu(x);
    }
    return x.squeeze(1);
  }
};

JointPredictor::JointPredictor(std::shared_ptr<const Network> network) : network_(std::move(network)) {}

JointPredictor JointPredictor::train(const std::vector<std::vector<float>>& rows, const std::vector<float>& targets,
                                     std::uint64_t seed) {
  Rng rng(seed);
  auto network = std::make_shared<Network>(static_cast<std::int64_t>(rows.at(0).size()), rng);
  std::vector<torch::Tensor> parameters = network->weights;
  parameters.insert(parameters.end(), network->biases.begin(), network->biases.end());
  for (torch::Tensor& parameter : parameters) parameter.requires_grad_();
  torch::optim::Adam optimizer(parameters, torch::optim::AdamOptions(kLearningRate));
  const torch::Tensor x = as_tensor(rows), y = torch::tensor(targets);
  for (int i = 0; i < kBatches; ++i) {
    std::vector<std::int64_t> picked;
    for (std::size_t k = 0; k < std::min(kBatch, rows.size()); ++k) {
      picked.push_back(static_cast<std::int64_t>(rng.below(rows.size())));
    }
    const torch::Tensor batch = torch::tensor(picked);
    const torch::Tensor loss = torch::mse_loss(network->forward(x.index_select(0, batch)), y.index_select(0, batch));
    optimizer.zero_grad();
    loss.backward();
    optimizer.step();
  }
  for (torch::Tensor& parameter : parameters) parameter.requires_grad_(false);
  return JointPredictor(std::move(network));
}

std::vector<float> JointPredictor::predict(const std::vector<std::vector<float>>& rows) const {
  if (rows.empty()) return {};
  const torch::Tensor predicted = network_->forward(as_tensor(rows)).contiguous();
  return {predicted.data_ptr<float>(), predicted.data_ptr<float>() + predicted.numel()};
}

}  // namespace hyperfd
