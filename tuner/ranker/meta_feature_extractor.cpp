#include "tuner/ranker/meta_feature_extractor.h"

#include <algorithm>
#include <cmath>

#include <torch/torch.h>

#include "tuner/base/error.h"
#include "tuner/ranker/extractor_input.h"
#include "tuner/ranker/tensors.h"

namespace hyperfd {
namespace {

// φ begins as a small addition to what is known of a data set without images: with 1, as layer norms begin, it is ten
// times as long as the rest.
constexpr float kOutputGain = 0.1f;

}  // namespace

MetaFeatureExtractor::MetaFeatureExtractor(std::int64_t image_features, std::int64_t statistics, std::int64_t units,
                                           Rng* rng)
    : image_features_(image_features) {
  const std::int64_t inputs = image_features + statistics;
  const auto linear = [rng](torch::Tensor& weight, torch::Tensor& bias, std::int64_t out, std::int64_t in) {
    const double bound = 1 / std::sqrt(static_cast<double>(std::max<std::int64_t>(in, 1)));
    weight = rng ? uniform_tensor({out, in}, bound, *rng) : torch::empty({out, in});
    bias = rng ? uniform_tensor({out}, bound, *rng) : torch::empty({out});
  };
  input_shift_ = torch::zeros({inputs});
  input_scale_ = torch::ones({inputs});
  linear(input_weight_, input_bias_, units, inputs);
  linear(attention_weight_, attention_bias_, 3 * units, units);
  linear(projection_weight_, projection_bias_, units, units);
  attention_norm_weight_ = torch::ones({units});
  attention_norm_bias_ = torch::zeros({units});
  linear(hidden_weight_, hidden_bias_, 2 * units, units);
  linear(output_weight_, output_bias_, units, 2 * units);
  output_norm_weight_ = torch::full({units}, kOutputGain);
  output_norm_bias_ = torch::zeros({units});
}

torch::Tensor MetaFeatureExtractor::forward(const torch::Tensor& images, const torch::Tensor& statistics) const {
  if (images.dim() == 2) return forward(images.unsqueeze(0), statistics)[0];
  const std::int64_t samples = images.size(0), n = images.size(1), width = units(), head_width = width / kHeads;
  const torch::Tensor inputs =
      (torch::cat({images, statistics.unsqueeze(-2).expand({samples, n, -1})}, 2) - input_shift_) / input_scale_;
  const torch::Tensor tokens = torch::linear(inputs, input_weight_, input_bias_);

  const torch::Tensor joint = torch::linear(tokens, attention_weight_, attention_bias_)
                                  .view({samples, n, 3, kHeads, head_width})
                                  .permute({2, 0, 3, 1, 4});  // [3, samples, heads, n, head_width]
  const torch::Tensor queries = joint[0] / std::sqrt(static_cast<double>(head_width)), keys = joint[1];
  const torch::Tensor attention = torch::softmax(torch::matmul(queries, keys.transpose(2, 3)), 3);
  const torch::Tensor mixed = torch::matmul(attention, joint[2]).permute({0, 2, 1, 3}).reshape({samples, n, width});
  const torch::Tensor attended = torch::layer_norm(tokens + torch::linear(mixed, projection_weight_, projection_bias_),
                                                   {width}, attention_norm_weight_, attention_norm_bias_);

  const torch::Tensor hidden = torch::relu(torch::linear(attended, hidden_weight_, hidden_bias_));
  return torch::layer_norm(attended + torch::linear(hidden, output_weight_, output_bias_), {width}, output_norm_weight_,
                           output_norm_bias_)
      .mean(1);
}

void MetaFeatureExtractor::set_standardisation(const torch::Tensor& inputs) {
  input_shift_ = inputs.mean(0);
  const torch::Tensor deviation = inputs.std(0, /*unbiased=*/false);
  input_scale_ = torch::where(deviation > 1e-6, deviation, torch::ones_like(deviation));
}

std::vector<torch::Tensor*> MetaFeatureExtractor::tensors() {
  return {&input_shift_,           &input_scale_,         &input_weight_,       &input_bias_,
          &attention_weight_,      &attention_bias_,      &projection_weight_,  &projection_bias_,
          &attention_norm_weight_, &attention_norm_bias_, &hidden_weight_,      &hidden_bias_,
          &output_weight_,         &output_bias_,         &output_norm_weight_, &output_norm_bias_};
}

std::vector<torch::Tensor> MetaFeatureExtractor::all_weights() const {
  std::vector<torch::Tensor> all;
  for (const torch::Tensor* tensor : const_cast<MetaFeatureExtractor*>(this)->tensors()) all.push_back(*tensor);
  return all;
}

std::vector<torch::Tensor> MetaFeatureExtractor::parameters() const {
  const std::vector<torch::Tensor> all = all_weights();
  return {all.begin() + 2, all.end()};
}

MetaFeatureExtractor MetaFeatureExtractor::clone() const {
  MetaFeatureExtractor copy = *this;
  for (torch::Tensor* tensor : copy.tensors()) *tensor = tensor->detach().clone();
  return copy;
}

std::vector<float> MetaFeatureExtractor::flat() const {
  return flatten(all_weights());
}

MetaFeatureExtractor MetaFeatureExtractor::from_flat(std::int64_t image_features, std::int64_t statistics,
                                                     const std::vector<float>& weights) {
  const auto units =
      static_cast<std::int64_t>(extractor_units(static_cast<std::size_t>(image_features + statistics), weights.size()));
  MetaFeatureExtractor extractor(image_features, statistics, units, nullptr);
  unflatten(weights, extractor.all_weights());
  return extractor;
}

}  // namespace hyperfd
