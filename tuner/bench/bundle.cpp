#include "tuner/bench/bundle.h"

#include <torch/types.h>

#include "tuner/ranker/dataset_features.h"
#include "tuner/space/search_space.h"

namespace hyperfd {
namespace {

constexpr char kRun[] = "warmup";

std::int64_t add_task(ExperienceStore& store, const TableTask& task, const std::string& name, const LookupTable& table,
                      std::int64_t space) {
  ExperimentRecord experiment;
  experiment.name = name;
  experiment.space = space;
  experiment.signature = table.space.signature();
  experiment.definition = table.space.definition().dump();
  experiment.annotation = table.annotation.text();
  experiment.budget = static_cast<std::int64_t>(task.entries.size());
  experiment.policy = "random";
  const std::int64_t id = store.add_experiment(experiment);
  const std::int64_t run = store.add_run(id, kRun);
  for (const TableEntry& entry : task.entries) {
    ConfigurationRecord configuration;
    configuration.run = run;
    configuration.space = space;
    configuration.fingerprint = fingerprint(entry.configuration);
    configuration.parameters = entry.configuration.dump();
    configuration.source = ConfigurationSource::kImported;
    store.add_result(store.add_configuration(id, configuration), Json(entry.held_out()).dump(), entry.held_out());
  }
  store.end_run(run);
  return id;
}

void add_dataset(ExperienceStore& store, std::int64_t id, const TableTask& task, std::int64_t images) {
  DatasetRecord dataset;
  dataset.task = id;
  const std::vector<std::string>& names = task.features ? task.features->statistic_names : task.statistic_names;
  const std::vector<double>& numbers = task.features ? task.features->statistics : task.statistics;
  for (std::size_t i = 0; i < names.size(); ++i) dataset.statistics.push_back({names[i], numbers[i]});
  if (task.features) {
    dataset.extractor = task.features->extractor;
    dataset.image_features = task.features->images.size(1);
    dataset.images = task.features->images.size(0);
    DatasetFeatures kept = *task.features;
    kept.keep_images(images);
    store.add_offline_features(id, kept.serialize());
  }
  if (task.features || !dataset.statistics.empty()) store.set_dataset(dataset);
}

}  // namespace

void write_bundle(ExperienceStore& store, const LookupTable& table, const RankingModel& model, std::int64_t images,
                  const std::string& group) {
  StoreTransaction transaction(store);
  const std::string signature = table.space.signature();
  const std::int64_t space = store.space(signature, table.space.definition().dump());
  const std::string prefix = kOfflinePrefix + (group.empty() ? "" : group + "/");
  RankerRecord ranker;
  for (const TableTask& task : table.tasks) {
    add_dataset(store, add_task(store, task, prefix + task.name, table, space), task, images);
    ranker.results += static_cast<std::int64_t>(task.entries.size());
  }
  ranker.signature = signature;
  ranker.version = 1;
  ranker.model = model.serialize();
  store.add_ranker(ranker);
  transaction.commit();
}

}  // namespace hyperfd
