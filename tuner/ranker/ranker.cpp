#include "tuner/ranker/ranker.h"

#include <cmath>

#include <torch/torch.h>

#include "tuner/ranker/tensors.h"

namespace hyperfd {
namespace {

// Standardised numbers beyond it count as that: the scale of a few tasks says little of the next one's.
constexpr double kLargestNumber = 2;

}  // namespace

Ranker::Ranker(const EncodingShape& shape, std::int64_t units, Rng& rng)
    : encoder(shape, units, rng),
      mean_feature(uniform_tensor({units}, 1 / std::sqrt(static_cast<double>(units)), rng)),
      deviations(torch::zeros({0, units})),
      number_shift(torch::zeros({0})),
      number_scale(torch::zeros({0})),
      number_map(torch::zeros({units, 0})),
      network_scale(torch::ones({})) {}

std::vector<torch::Tensor> Ranker::tensors() const {
  std::vector<torch::Tensor> all = encoder.parameters();
  all.insert(all.end(), {mean_feature, deviations, number_shift, number_scale, number_map});
  if (extractor) {
    const std::vector<torch::Tensor> weights = extractor->all_weights();
    all.insert(all.end(), weights.begin(), weights.end());
  }
  for (const auto& entry : versions) all.insert(all.end(), {entry.second.references, entry.second.z});
  for (const auto& entry : seen) all.push_back(entry.second.feature);
  all.insert(all.end(), importance.begin(), importance.end());
  if (effects) {
    const std::vector<torch::Tensor> tensors = effects->tensors();
    all.insert(all.end(), tensors.begin(), tensors.end());
    all.push_back(network_scale);
  }
  return all;
}

Ranker Ranker::clone() const {
  Ranker copy = *this;
  copy.encoder = encoder.clone();
  for (torch::Tensor* tensor :
       {&copy.mean_feature, &copy.deviations, &copy.number_shift, &copy.number_scale, &copy.number_map}) {
    *tensor = tensor->clone();
  }
  if (extractor) copy.extractor = extractor->clone();
  for (auto& entry : copy.versions) {
    entry.second = {entry.second.references.clone(), entry.second.z.clone()};
  }
  for (auto& entry : copy.seen) entry.second.feature = entry.second.feature.clone();
  for (torch::Tensor& tensor : copy.importance) tensor = tensor.clone();
  if (effects) copy.effects = effects->clone();
  copy.network_scale = network_scale.clone();
  return copy;
}

torch::Tensor Ranker::standardised(const std::vector<double>& statistics) const {
  if (statistics.empty() || static_cast<std::int64_t>(statistics.size()) != number_count()) {
    return torch::zeros({number_count()});
  }
  const torch::Tensor numbers = torch::tensor(statistics, torch::kFloat64).to(torch::kFloat32);
  return ((numbers - number_shift) / number_scale).clamp(-kLargestNumber, kLargestNumber);
}

torch::Tensor Ranker::mean_for(const torch::Tensor& numbers) const {
  return mean_feature + torch::mv(number_map, numbers);
}

torch::Tensor Ranker::stored_feature(const std::string& task) const {
  const auto found = seen.find(task);
  if (found == seen.end()) return {};
  return torch::mv(versions.at(found->second.version).z, found->second.feature);
}

std::vector<std::int64_t> Ranker::find_or_add(const std::vector<std::string>& names) {
  std::unordered_map<std::string, std::int64_t> known;
  for (const std::string& task : tasks) known.emplace(task, static_cast<std::int64_t>(known.size()));
  std::vector<std::int64_t> indices;
  for (const std::string& name : names) {
    const auto [entry, is_new] = known.emplace(name, static_cast<std::int64_t>(known.size()));
    if (is_new) tasks.push_back(name);
    indices.push_back(entry->second);
  }
  const auto added = static_cast<std::int64_t>(tasks.size()) - deviations.size(0);
  if (added > 0) deviations = torch::cat({deviations, torch::zeros({added, deviations.size(1)})});
  return indices;
}

std::vector<torch::Tensor> Ranker::synaptic_weights() const {
  std::vector<torch::Tensor> weights = extractor ? extractor->parameters() : std::vector<torch::Tensor>{};
  for (const torch::Tensor& tensor : encoder.parameters()) weights.push_back(tensor);
  return weights;
}

}  // namespace hyperfd
