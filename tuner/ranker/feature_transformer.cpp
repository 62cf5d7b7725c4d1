#include "tuner/ranker/feature_transformer.h"

#include <algorithm>
#include <utility>

#include <torch/torch.h>

#include "tuner/base/digest.h"
#include "tuner/ranker/local_dataset_client.h"

namespace hyperfd {

FeatureTransformer::FeatureTransformer(Ranker& ranker, const std::map<std::string, DatasetClient*>& offline,
                                       const RankerOptions& options)
    : ranker_(ranker), options_(options) {
  if (!ranker.extractor) return;
  if (ranker.references.empty()) {
    for (const auto& entry : offline) {
      if (ranker.references.size() < options.reference_sets) ranker.references.push_back(entry.first);
    }
  }
  if (offline.empty()) return;
  std::vector<std::string> references;  // those that are still there
  std::vector<std::int64_t> rows;
  for (std::size_t i = 0; i < ranker.references.size(); ++i) {
    const auto found = offline.find(ranker.references[i]);
    if (found == offline.end()) continue;
    clients_.push_back(found->second);
    references.push_back(found->first);
    rows.push_back(static_cast<std::int64_t>(i));
  }
  if (references.size() == ranker.references.size()) return;
  ranker.references = std::move(references);
  for (auto& entry : ranker.versions) {
    torch::Tensor& features = entry.second.references;
    if (features.size(0) > 0) features = features.index_select(0, torch::tensor(rows, torch::kInt64));
  }
}

bool FeatureTransformer::fits() const {
  return !clients_.empty() && (options_.transformation == TransformationKind::kSgd ||
                               options_.transformation == TransformationKind::kClosedForm);
}

// Always from the same images, so that two extractors' meta-features differ by the extractors alone.
torch::Tensor FeatureTransformer::reference_features() const {
  const torch::NoGradGuard no_gradient;
  torch::Tensor features = torch::empty({static_cast<std::int64_t>(clients_.size()), ranker_.units()});
  std::vector<LocalDatasetClient*> local;
  std::vector<std::uint64_t> seeds;
  std::vector<std::int64_t> places;
  std::vector<float> weights;  // for data sets elsewhere
  for (std::size_t i = 0; i < clients_.size(); ++i) {
    const std::uint64_t seed = stable_hash(ranker_.references[i]);
    const auto place = static_cast<std::int64_t>(i);
    if (clients_[i]->local()) {
      local.push_back(clients_[i]->local());
      seeds.push_back(seed);
      places.push_back(place);
      continue;
    }
    if (weights.empty()) weights = ranker_.extractor->flat();
    features[place] = torch::tensor(clients_[i]->feature(weights, seed), torch::kFloat32);
  }
  features.index_copy_(0, torch::tensor(places, torch::kInt64),
                       LocalDatasetClient::features_of(*ranker_.extractor, local, seeds));
  return features;
}

void FeatureTransformer::fit(std::int64_t version, const torch::Tensor& today) {
  Ranker::ExtractorVersion& old = ranker_.versions.at(version);
  if (old.references.size(0) == 0) return;
  if (options_.transformation == TransformationKind::kClosedForm) {
    old.z = closed_form_.try_emplace(version, old.references).first->second.fit(today);
  } else {
    auto& sgd = sgd_.try_emplace(version, old.z, options_.transformation_learning_rate).first->second;
    old.z = sgd.fit(old.references, today, options_.transformation_steps).clone();
  }
}

void FeatureTransformer::prepare(int iteration, const std::vector<std::int64_t>& versions) {
  if (!fits()) return;
  // Algorithm 1 moves every Z in every iteration; those in which no stored φ is read do not come here, as Z changes
  // nothing in them. The closed form needs only the Z in use.
  std::vector<std::int64_t> due = versions;
  if (options_.transformation == TransformationKind::kSgd) {
    due.clear();
    for (const auto& entry : ranker_.versions) due.push_back(entry.first);
  }
  const auto is_recent = [&](std::int64_t version) {
    const auto found = fitted_.find(version);
    return found != fitted_.end() && iteration < found->second + options_.transformation_interval;
  };
  due.erase(std::remove_if(due.begin(), due.end(), is_recent), due.end());
  if (due.empty()) return;
  if (!today_.defined() || iteration >= today_iteration_ + options_.transformation_interval) {
    today_ = reference_features();
    today_iteration_ = iteration;
  }
  for (const std::int64_t version : due) {
    fit(version, today_);
    fitted_[version] = today_iteration_;
  }
}

void FeatureTransformer::finish() {
  if (!ranker_.extractor) return;
  const auto is_used = [&](std::int64_t version) {
    return std::any_of(ranker_.seen.begin(), ranker_.seen.end(),
                       [&](const auto& entry) { return entry.second.version == version; });
  };
  const torch::Tensor today = reference_features();
  for (auto entry = ranker_.versions.begin(); entry != ranker_.versions.end();) {
    if (!is_used(entry->first)) {
      entry = ranker_.versions.erase(entry);
      continue;
    }
    if (fits()) fit(entry->first, today);
    ++entry;
  }
  ++ranker_.version;
  ranker_.versions[ranker_.version] = {today, torch::eye(ranker_.units())};
}

}  // namespace hyperfd
