// Platform, as far as data sets that clients serve are concerned.
#include <utility>

#include "tuner/base/digest.h"
#include "tuner/base/log.h"
#include "tuner/platform/dataset_numbers.h"
#include "tuner/platform/platform.h"
#include "tuner/ranker/ranking_model.h"

namespace hyperfd {

void Platform::open_dataset(const std::string& name, const DatasetStart& start) {
  if (start.extractor.size() != 64 || start.extractor.find_first_not_of("0123456789abcdef") != std::string::npos) {
    throw InputError("extractor: expected 64 hexadecimal digits, got \"" + start.extractor.substr(0, 80) + "\"");
  }
  constexpr std::int64_t kMostFeatures = 16384;
  if (start.image_features < 1 || start.image_features > kMostFeatures) {
    throw InputError("image_features: expected 1 to " + std::to_string(kMostFeatures) + ", got " +
                     std::to_string(start.image_features));
  }
  if (start.images < 1) throw InputError("images: expected 1 or more, got " + std::to_string(start.images));
  check_numbers("statistics", start.statistics);

  Experiment& experiment = open(name);
  DatasetRecord dataset = experiment.dataset().value_or(DatasetRecord{});
  const bool is_same = dataset.extractor == start.extractor && dataset.images == start.images;
  if (!is_same) dataset.feature.clear();  // of other images
  dataset.task = experiment.record().id;
  dataset.extractor = start.extractor;
  dataset.image_features = start.image_features;
  dataset.images = start.images;
  dataset.statistics = start.statistics;
  check_extractor(experiment.record(), dataset);
  store_.set_dataset(dataset);
  past_tasks_.changed(dataset.task);
  experiment.set_dataset(std::move(dataset));
  served_[experiment.record().id] = name;
  ended_.erase(experiment.record().id);
  attend(experiment.record());
  spdlog::info("task {}: a client serves its data set, {} images", experiment.record().id, start.images);
}

void Platform::check_extractor(const ExperimentRecord& experiment, const DatasetRecord& dataset) {
  const ExtractorInput own = extractor_input(dataset);
  std::optional<ExtractorInput> expected;
  if (const auto model = ranker(experiment.signature).model) expected = model->extractor_input();
  if (!expected) {
    for (const DatasetRecord& other : store_.datasets(experiment.signature)) {
      if (!other.extractor.empty() && other.task != dataset.task) expected = extractor_input(other);
    }
  }
  if (expected && own != *expected) throw InputError(mismatch(own, *expected));
}

void Platform::set_feature(std::int64_t task, std::int64_t version, std::vector<float> feature) {
  const auto served = served_.find(task);
  if (served == served_.end()) return;
  Experiment& experiment = open(served->second);
  const auto& [latest, results, model] = ranker(experiment.record().signature);
  const bool fits = model && static_cast<std::int64_t>(feature.size()) == model->options().hidden_units;
  if (version != latest) attend(experiment.record());  // there is a later one, which could not ask while this was open
  if (version != latest || !fits || !experiment.dataset()) return;
  DatasetRecord dataset = *experiment.dataset();
  dataset.feature = std::move(feature);
  dataset.ranker_signature = experiment.record().signature;
  dataset.ranker_version = version;
  store_.set_dataset(dataset);
  experiment.set_dataset(std::move(dataset));
}

void Platform::attend_datasets() {
  for (auto entry = unattended_.begin(); entry != unattended_.end();) {
    const auto [task, experiment] = *entry;
    entry = unattended_.erase(entry);
    if (datasets_.serves(task)) {
      attend_dataset(task, experiment);
    } else {
      served_.erase(task);
      ended_.erase(task);
    }
  }
  for (auto entry = ended_.begin(); entry != ended_.end();) {
    if (is_learning(entry->second) || due_.count(entry->second)) {
      ++entry;
      continue;
    }
    datasets_.dismiss(entry->first, "the experiment has ended, and the ranker has learned from it");
    served_.erase(entry->first);
    entry = ended_.erase(entry);
  }
}

void Platform::attend_dataset(std::int64_t task, const std::string& name) {
  Experiment& experiment = open(name);
  const std::string& signature = experiment.record().signature;
  const auto& [version, results, model] = ranker(signature);
  if (!model || !model->extractor_input() || !experiment.dataset()) return;  // again when there is a version
  const DatasetRecord& dataset = *experiment.dataset();
  const ExtractorInput own = extractor_input(dataset);
  if (own != *model->extractor_input()) {
    datasets_.dismiss(task, mismatch(own, *model->extractor_input()));
    return;
  }
  if (!dataset.feature.empty() && dataset.ranker_signature == signature && dataset.ranker_version == version) return;
  datasets_.request_feature(task, version, model->extractor_weights(), stable_hash(name));
}

}  // namespace hyperfd
