#include "tuner/ranker/local_dataset_client.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include <torch/torch.h>

#include "tuner/base/rng.h"
#include "tuner/ranker/tensors.h"

namespace hyperfd {
namespace {

torch::Tensor vector_of(const std::vector<float>& numbers) {
  return torch::tensor(numbers, torch::kFloat32);
}

}  // namespace

LocalDatasetClient::LocalDatasetClient(torch::Tensor images, torch::Tensor statistics, std::int64_t sample)
    : images_(std::move(images)), statistics_(std::move(statistics)), sample_(sample) {
  if (images_.dim() != 2 || images_.size(0) == 0) throw InputError("images: expected features of at least one image");
}

LocalDatasetClient::Samples LocalDatasetClient::draw(std::uint64_t seed) const {
  std::vector<std::int64_t> order(static_cast<std::size_t>(images_.size(0)));
  std::iota(order.begin(), order.end(), 0);
  Rng(seed).shuffle(order);
  const auto count = static_cast<std::int64_t>(order.size());
  const std::int64_t size = std::min(std::max<std::int64_t>(count / 2, 1), sample_);
  const torch::Tensor rows = torch::tensor(order);
  return {rows.slice(0, 0, size), rows.slice(0, count - size)};
}

MetaFeaturePair LocalDatasetClient::forward(const std::vector<float>& weights, std::uint64_t seed) {
  extractor_ =
      std::make_unique<MetaFeatureExtractor>(MetaFeatureExtractor::from_flat(image_features(), statistics(), weights));
  for (const torch::Tensor& parameter : extractor_->parameters()) parameter.set_requires_grad(true);
  const Samples samples = draw(seed);
  feature_ = extractor_->forward(images_.index_select(0, samples.feature), statistics_);
  twin_ = extractor_->forward(images_.index_select(0, samples.twin), statistics_);
  return {flatten({feature_.detach()}), flatten({twin_.detach()})};
}

std::vector<float> LocalDatasetClient::feature(const std::vector<float>& weights, std::uint64_t seed) {
  const torch::NoGradGuard no_gradient;
  const auto extractor = MetaFeatureExtractor::from_flat(image_features(), statistics(), weights);
  return flatten({extractor.forward(images_.index_select(0, draw(seed).feature), statistics_)});
}

std::vector<float> LocalDatasetClient::backward(const MetaFeaturePair& gradient) {
  if (!feature_.defined()) throw Error("backward() without forward()");
  torch::autograd::backward({feature_, twin_}, {vector_of(gradient.feature), vector_of(gradient.twin)});
  feature_ = twin_ = torch::Tensor();
  std::vector<torch::Tensor> gradients;
  for (const torch::Tensor& weights : extractor_->all_weights()) {
    gradients.push_back(weights.grad().defined() ? weights.grad() : torch::zeros_like(weights));
  }
  return flatten(gradients);
}

std::unique_ptr<DatasetClient> local_dataset_client(const std::string& features, const std::string& source) {
  return std::make_unique<LocalDatasetClient>(DatasetFeatures::deserialize(features, source));
}

}  // namespace hyperfd
