#include "tuner/ranker/ranker.h"

#include <cmath>
#include <unordered_map>

#include <torch/torch.h>

#include "tuner/ranker/tensors.h"

namespace hyperfd {

Ranker::Ranker(std::int64_t inputs, std::int64_t units, Rng& rng)
    : encoder(inputs, units, rng),
      mean_feature(uniform_tensor({units}, 1 / std::sqrt(static_cast<double>(units)), rng)),
      deviations(torch::zeros({0, units})) {}

std::vector<torch::Tensor> Ranker::parameters() const {
  std::vector<torch::Tensor> all = encoder.parameters();
  all.push_back(mean_feature);
  all.push_back(deviations);
  return all;
}

Ranker Ranker::clone() const {
  Ranker copy = *this;
  copy.encoder = encoder.clone();
  copy.mean_feature = mean_feature.clone();
  copy.deviations = deviations.clone();
  return copy;
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

}  // namespace hyperfd
