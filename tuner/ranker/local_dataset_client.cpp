#include "tuner/ranker/local_dataset_client.h"

#include <algorithm>
#include <map>
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

torch::Tensor LocalDatasetClient::draw(std::uint64_t seed) const {
  std::vector<std::int64_t> order(static_cast<std::size_t>(images_.size(0)));
  std::iota(order.begin(), order.end(), 0);
  Rng(seed).shuffle(order);
  const auto count = static_cast<std::int64_t>(order.size());
  const std::int64_t size = std::min(std::max<std::int64_t>(count / 2, 1), sample_);
  const torch::Tensor rows = torch::tensor(order);
  return torch::stack({rows.slice(0, 0, size), rows.slice(0, count - size)});
}

torch::Tensor LocalDatasetClient::images(std::uint64_t seed, std::int64_t samples) const {
  const torch::Tensor rows = draw(seed).slice(0, 0, samples);
  return images_.index_select(0, rows.flatten()).view({samples, rows.size(1), image_features()});
}

MetaFeaturePair LocalDatasetClient::forward(const std::vector<float>& weights, std::uint64_t seed) {
  extractor_ =
      std::make_unique<MetaFeatureExtractor>(MetaFeatureExtractor::from_flat(image_features(), statistics(), weights));
  for (const torch::Tensor& parameter : extractor_->parameters()) parameter.set_requires_grad(true);
  features_ = extractor_->forward(images(seed, 2), statistics_);
  return {flatten({features_[0].detach()}), flatten({features_[1].detach()})};
}

std::vector<float> LocalDatasetClient::feature(const std::vector<float>& weights, std::uint64_t seed) {
  const torch::NoGradGuard no_gradient;
  const auto extractor = MetaFeatureExtractor::from_flat(image_features(), statistics(), weights);
  return flatten({extractor.forward(images(seed, 1), statistics_)});
}

torch::Tensor LocalDatasetClient::features_of(const MetaFeatureExtractor& extractor,
                                              const std::vector<LocalDatasetClient*>& datasets,
                                              const std::vector<std::uint64_t>& seeds) {
  return together(extractor, datasets, seeds, 1).squeeze(1);
}

torch::Tensor LocalDatasetClient::pairs_of(const MetaFeatureExtractor& extractor,
                                           const std::vector<LocalDatasetClient*>& datasets,
                                           const std::vector<std::uint64_t>& seeds) {
  return together(extractor, datasets, seeds, 2);
}

torch::Tensor LocalDatasetClient::together(const MetaFeatureExtractor& extractor,
                                           const std::vector<LocalDatasetClient*>& datasets,
                                           const std::vector<std::uint64_t>& seeds, std::int64_t samples) {
  // Small data sets have smaller samples; those of one size go together.
  struct Group {
    std::vector<std::int64_t> places;
    std::vector<torch::Tensor> images, statistics;
  };
  std::map<std::int64_t, Group> groups;
  for (std::size_t i = 0; i < datasets.size(); ++i) {
    torch::Tensor images = datasets[i]->images(seeds[i], samples);
    Group& group = groups[images.size(1)];
    group.places.push_back(static_cast<std::int64_t>(i));
    group.images.push_back(std::move(images));
    group.statistics.push_back(datasets[i]->statistics_.expand({samples, -1}));
  }
  std::vector<std::int64_t> order;
  std::vector<torch::Tensor> features;
  for (const auto& entry : groups) {
    const Group& group = entry.second;
    order.insert(order.end(), group.places.begin(), group.places.end());
    features.push_back(extractor.forward(torch::cat(group.images), torch::cat(group.statistics)));
  }
  if (features.empty()) return torch::zeros({0, samples, extractor.units()});
  const torch::Tensor rows = torch::cat(features).view({-1, samples, extractor.units()});
  return groups.size() == 1 ? rows : rows.index_select(0, torch::tensor(order).argsort());
}

std::vector<float> LocalDatasetClient::backward(const MetaFeaturePair& gradient) {
  if (!features_.defined()) throw Error("backward() without forward()");
  features_.backward(torch::stack({vector_of(gradient.feature), vector_of(gradient.twin)}));
  features_ = torch::Tensor();
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
