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

}  // namespace hyperfd
