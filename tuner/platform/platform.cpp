#include "tuner/platform/platform.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "tuner/base/digest.h"
#include "tuner/base/log.h"
#include "tuner/platform/configuration_encoding.h"
#include "tuner/platform/dataset_numbers.h"
#include "tuner/platform/metric.h"
#include "tuner/ranker/ranking_model.h"
#include "tuner/space/feasible.h"
#include "tuner/space/snapping.h"

namespace hyperfd {
namespace {

constexpr std::size_t kMaxSuggestions = 1000;  // in one request

void add_warning(std::string* warnings, const std::string& warning) {
  if (warning.empty()) return;
  if (warnings->size() > 2000) return;  // thousands of records may all have the same trouble
  *warnings += (warnings->empty() ? "" : "\n") + warning;
}

Configuration parse_configuration(const std::string& text, const std::string& field, const Experiment& experiment) {
  Configuration configuration = parse_json(text, field);
  if (!configuration.is_object()) throw InputError(field + ": expected an object, got " + brief(configuration));
  return snapped(experiment.space(), std::move(configuration));
}

void check_not_negative(const char* field, std::int64_t value) {
  if (value < 0) throw InputError(std::string(field) + ": expected 0 or more, got " + std::to_string(value));
}

void check_run_name(const std::string& run) {
  if (run.empty() || run.size() > 128) {
    throw InputError("run: expected 1 to 128 bytes, got " + std::to_string(run.size()));
  }
}

// What a configuration violates is no reason not to learn from its result.
std::string violation(const Annotation& annotation, const Configuration& configuration, const std::string& field) {
  try {
    annotation.check(configuration);
    return "";
  } catch (const InputError& error) {
    return field + ": would not be suggested (" + error.what() + ")";
  }
}

// That it belongs to the space and leaves something to suggest.
void check_annotation(const std::string& text, const SearchSpace& space) {
  const Annotation annotation = Annotation::parse(text, space);
  if (annotation.constraints().empty()) return;
  Rng rng(0);
  FeasibleSampler(space, annotation).draw(rng);
}

}  // namespace

Platform::Platform(ExperienceStore& store, std::function<void()> on_learned, BackgroundLearner::Learn learn,
                   DatasetDirectory& datasets)
    : store_(store), past_tasks_(store), datasets_(datasets), learner_(std::move(on_learned), std::move(learn)) {}

RunInfo Platform::begin_run(const std::string& name, const RunStart& start) {
  check_run_name(start.run);
  check_not_negative("budget", start.budget);
  check_not_negative("seed", start.seed);
  policy(start.policy);
  check_numbers("meta_features", start.meta_features);
  const SearchSpace space = SearchSpace::parse(parse_json(start.space, "space"));
  check_annotation(start.annotation, space);

  const std::optional<ExperimentRecord> found = store_.find_experiment(name);
  ExperimentRecord record = found.value_or(ExperimentRecord{});
  record.name = name;
  record.definition = space.definition().dump();
  record.signature = space.signature();
  record.space = store_.space(record.signature, record.definition);
  record.optimize_mode = start.optimize_mode;
  record.budget = start.budget;
  record.policy = start.policy;
  record.seed = start.seed;
  record.annotation = start.annotation;
  if (found) {
    store_.update_experiment(record);
    past_tasks_.changed(record.id);  // its metric may count the other way now
  } else {
    record.id = store_.add_experiment(record);
  }
  const std::optional<DatasetRecord> known = store_.find_dataset(record.id);
  if (!start.meta_features.empty() && (!known || known->extractor.empty())) {
    DatasetRecord numbers;
    numbers.task = record.id;
    numbers.statistics = start.meta_features;
    store_.set_dataset(numbers);
    past_tasks_.changed(record.id);
  }
  forget(name);
  Experiment& experiment = open(name);
  if (!store_.find_run(record.id, start.run)) store_.add_run(record.id, start.run);
  if (!found) update_if_stale(record);

  RunInfo info;
  info.task = record.id;
  info.resumed = found.has_value();
  info.results = static_cast<std::int64_t>(experiment.count_ranked());
  info.past_tasks = store_.count_past_tasks(record.signature, record.id);
  info.signature = record.signature;
  ended_.erase(record.id);
  if (served_.count(record.id)) attend(record);
  spdlog::info("task {}: experiment {} {}, policy {}, {} results, {} past tasks on the same search space", info.task,
               name, info.resumed ? "goes on" : "begins", record.policy, info.results, info.past_tasks);
  return info;
}

void Platform::change_space(const std::string& name, const std::string& run, const std::string& text) {
  Experiment& experiment = open(name);
  open_run(experiment, run);
  const SearchSpace space = SearchSpace::parse(parse_json(text, "space"));
  check_annotation(experiment.record().annotation, space);
  ExperimentRecord record = experiment.record();
  record.definition = space.definition().dump();
  record.signature = space.signature();
  record.space = store_.space(record.signature, record.definition);
  store_.update_experiment(record);
  experiment.change(std::move(record));
  if (served_.count(experiment.record().id)) attend(experiment.record());
}

std::vector<Suggestion> Platform::suggest(const std::string& name, const std::string& run,
                                          const std::vector<std::int64_t>& parameter_ids) {
  Experiment& experiment = open(name);
  const std::int64_t run_id = open_run(experiment, run);
  if (parameter_ids.empty() || parameter_ids.size() > kMaxSuggestions) {
    throw InputError("parameter_ids: expected 1 to " + std::to_string(kMaxSuggestions) + " ids, got " +
                     std::to_string(parameter_ids.size()));
  }
  std::set<std::int64_t> missing;
  for (const std::int64_t id : parameter_ids) {
    check_not_negative("parameter_ids", id);
    if (!experiment.find(run_id, id)) missing.insert(id);
  }

  const ExperimentRecord& record = experiment.record();
  std::vector<Configuration> chosen;
  if (!missing.empty()) {
    // From what is stored alone, so that a restarted server goes on with the same suggestions.
    Rng rng(stable_hash(std::to_string(record.seed) + "/" + name + "/" + std::to_string(experiment.count_suggested())));
    const SelectionPolicy& chooser = policy(record.policy);
    const auto [version, learned_from, model] = ranker(record.signature);
    const bool trained = model && model->trained();
    const std::vector<std::string> names = trained ? model->number_names() : experiment.number_names();
    const auto past = chooser.uses_past() ? past_tasks_.others(experiment.space(), record.id, names) : nullptr;
    const TaskView view =
        experiment.view(trained ? model.get() : nullptr, version, past ? *past : PastExperience::none(), names);
    chosen = chooser.suggest(view, missing.size(), rng);
    if (chosen.size() < missing.size()) {
      std::vector<Configuration> abandoned = experiment.abandoned(run_id);
      const std::size_t wanted = std::min(missing.size() - chosen.size(), abandoned.size());
      std::move(abandoned.begin(), abandoned.begin() + static_cast<std::ptrdiff_t>(wanted), std::back_inserter(chosen));
    }
  }
  auto next = chosen.begin();
  std::vector<Suggestion> suggestions;
  for (const std::int64_t id : parameter_ids) {
    const ConfigurationRecord* known = experiment.find(run_id, id);
    if (!known && next != chosen.end()) {
      ConfigurationRecord added;
      added.run = run_id;
      added.parameter_id = id;
      added.space = record.space;
      added.fingerprint = fingerprint(*next);
      added.parameters = (next++)->dump();
      added.id = store_.add_configuration(record.id, added);
      experiment.add(std::move(added));
      known = experiment.find(run_id, id);
    }
    if (known) suggestions.push_back({id, known->parameters, known->source});
  }
  return suggestions;
}

Effect Platform::add_metric(const std::string& name, const std::string& run, const MetricReport& report) {
  Experiment& experiment = open(name);
  const std::int64_t run_id = open_run(experiment, run);
  Effect effect;
  const ConfigurationRecord trial = trial_of(experiment, run_id, report, &effect.warning);
  if (report.kind == MetricKind::kPeriodical) {
    effect.counted = store_.add_intermediate_result({trial.id, report.sequence, report.value});
  } else if (report.kind == MetricKind::kFinal && !trial.has_result) {
    add_result(experiment, trial.id, report.value, &effect.warning);
    effect.counted = 1;
  }
  return effect;
}

Effect Platform::end_trial(const std::string& name, const std::string& run, std::optional<std::int64_t> parameter_id,
                           const std::string& trial_job_id, TrialOutcome outcome) {
  Experiment& experiment = open(name);
  const std::int64_t run_id = open_run(experiment, run);
  if (!store_.add_trial_end({run_id, parameter_id, trial_job_id, outcome})) return {};
  const ConfigurationRecord* trial =
      parameter_id ? experiment.find(run_id, *parameter_id) : experiment.find_trial(trial_job_id);
  if (trial) experiment.set_outcome(trial->id, outcome);
  if (outcome == TrialOutcome::kFailed) past_tasks_.changed(experiment.record().id);
  return {1, ""};
}

Effect Platform::import_results(const std::string& name, const std::string& run,
                                const std::vector<ImportedResult>& results, RepeatedResults repeated) {
  Experiment& experiment = open(name);
  const std::int64_t run_id = open_run(experiment, run);
  const bool all_count = repeated == RepeatedResults::kAllCount;
  std::set<std::pair<std::string, std::optional<double>>> counted;  // fingerprints and numbers
  if (all_count) {
    for (const ConfigurationRecord& row : store_.configurations(experiment.record().id)) {
      if (row.has_result) counted.emplace(row.fingerprint, row.metric);
    }
  }
  Effect effect;
  for (std::size_t i = 0; i < results.size(); ++i) {
    const std::string field = "records[" + std::to_string(i) + "].parameters";
    const Configuration configuration = parse_configuration(results[i].parameters, field, experiment);
    const std::string key = fingerprint(configuration);
    const ConfigurationRecord* known = experiment.find_configuration(key);
    const bool has_result = known && known->has_result;
    if (all_count ? !counted.emplace(key, parse_metric(results[i].value).number).second : has_result) continue;
    const bool waits = known && !has_result;
    std::int64_t row = waits ? known->id : 0;
    if (!waits) {
      ConfigurationRecord added;
      added.run = run_id;
      added.parameters = results[i].parameters;
      added.source = ConfigurationSource::kImported;
      row = add_configuration(experiment, std::move(added), field, &effect.warning).id;
    }
    add_result(experiment, row, results[i].value, &effect.warning);
    ++effect.counted;
  }
  return effect;
}

Effect Platform::adopt(const std::string& name, const std::string& run, const std::vector<AdoptedTrial>& trials) {
  Experiment& experiment = open(name);
  const std::int64_t run_id = open_run(experiment, run);
  Effect effect;
  for (std::size_t i = 0; i < trials.size(); ++i) {
    const std::string field = "records[" + std::to_string(i) + "]";
    check_not_negative((field + ".parameter_id").c_str(), trials[i].parameter_id);
    const Configuration configuration = parse_configuration(trials[i].parameters, field + ".parameters", experiment);
    if (const ConfigurationRecord* known = experiment.find(run_id, trials[i].parameter_id)) {
      if (known->fingerprint == fingerprint(configuration)) continue;
      throw InputError(field + ".parameter_id: " + std::to_string(trials[i].parameter_id) + " already stands for " +
                       known->parameters.substr(0, 200));
    }
    ConfigurationRecord added;
    added.run = run_id;
    added.parameter_id = trials[i].parameter_id;
    added.parameters = trials[i].parameters;
    added.source = ConfigurationSource::kCustomized;
    add_configuration(experiment, std::move(added), field + ".parameters", &effect.warning);
    ++effect.counted;
  }
  return effect;
}

void Platform::end_run(const std::string& name, const std::string& run) {
  Experiment& experiment = open(name);
  store_.end_run(open_run(experiment, run));
  update_if_stale(experiment.record());
  spdlog::info("task {}: run ends with {} results", experiment.record().id, experiment.count_ranked());
  past_tasks_.forget(experiment.record().id);
  if (served_.count(experiment.record().id)) ended_[experiment.record().id] = experiment.record().signature;
  forget(name);  // an ended experiment needs no memory
}

std::int64_t Platform::next_parameter_id(const std::string& name, const std::string& run) {
  Experiment& experiment = open(name);
  return experiment.next_parameter_id(open_run(experiment, run));
}

void Platform::check_point(const std::string& name, const Configuration& configuration) {
  const Experiment& experiment = open(name);
  experiment.space().check(configuration);
  experiment.annotation().check(configuration);
}

void Platform::forget(const std::string& name) {
  const auto known = experiments_.find(name);
  if (known == experiments_.end()) return;
  past_tasks_.changed(known->second.record().id);
  experiments_.erase(known);
}

void Platform::start_due_updates() {
  for (auto due = due_.begin(); due != due_.end();) {
    if (is_learning(due->first)) {
      ++due;  // looked at again when that update is committed
      continue;
    }
    const auto [signature, experiment] = *due;
    due = due_.erase(due);
    const Ranker& current = ranker(signature);
    const std::int64_t results = store_.count_results(signature);
    if (results == 0 || (results == current.results && reads(current, experiment))) continue;
    learner_.submit(learning_job(experiment));
    learning_.insert(signature);
  }
}

bool Platform::reads(const Ranker& ranker, const ExperimentRecord& experiment) {
  if (!ranker.model) return false;
  const SearchSpace space = SearchSpace::parse(parse_json(experiment.definition, "space"));
  return ranker.model->shape() == encoding_shape(space, Annotation::parse(experiment.annotation, space));
}

const std::map<std::int64_t, std::shared_ptr<DatasetClient>>& Platform::offline_datasets(const std::string& signature) {
  const auto [found, is_new] = offline_datasets_.try_emplace(signature);
  if (is_new) {
    for (const auto& [task, features] : store_.offline_features(signature)) {
      try {
        found->second[task] = local_dataset_client(features, "the store's task " + std::to_string(task));
      } catch (const InputError& error) {
        spdlog::warn("{}; the ranker learns without its images", error.what());
      }
    }
  }
  return found->second;
}

LearningJob Platform::learning_job(const ExperimentRecord& experiment) {
  const std::string& signature = experiment.signature;
  LearningJob job;
  job.previous = store_.latest_ranker(signature).value_or(RankerRecord{});
  job.previous.signature = signature;
  if (!ranker(signature).model) job.previous.model.clear();  // also when the stored one cannot be read
  job.definition = store_.definition(signature);
  job.annotation = experiment.annotation;
  job.options = policy(experiment.policy).ranker_options().value_or(RankerOptions{});
  job.experience = store_.experience(signature);
  const auto& offline = offline_datasets(signature);
  for (DatasetRecord& dataset : store_.datasets(signature)) {
    LearningTask& task = job.tasks[dataset.task];
    if (const auto found = offline.find(dataset.task); found != offline.end()) {
      task.client = found->second;
      task.role = TaskRole::kOffline;
    } else {
      task.client = dataset.extractor.empty() ? nullptr : datasets_.lend(dataset.task);
      task.role = task.client ? TaskRole::kCurrent : TaskRole::kPast;
    }
    task.dataset = std::move(dataset);
  }
  // Algorithm 1's shares go by what tasks are, also where nobody can be asked for images.
  for (const ExperienceRecord& record : job.experience) {
    LearningTask& task = job.tasks[record.task];
    task.dataset.task = record.task;
    if (is_offline(record.experiment)) task.role = TaskRole::kOffline;
    if (record.task == experiment.id) task.role = TaskRole::kCurrent;
  }
  return job;
}

void Platform::commit_learned() {
  for (LearningResult& result : learner_.take_finished()) {
    learning_.erase(result.ranker.signature);
    if (!result.error.empty()) {
      spdlog::error("ranker update failed, the last version stays: {}", result.error);
      continue;
    }
    try {
      commit_ranker(result.ranker);
    } catch (const StoreError& error) {  // there may be others to commit
      spdlog::error("ranker update lost, the last version stays: {}", error.what());
    }
  }
  start_due_updates();
}

void Platform::commit_ranker(const RankerRecord& ranker) {
  auto model = std::make_shared<const RankingModel>(RankingModel::deserialize(ranker.model));
  StoreTransaction transaction(store_);
  store_.add_ranker(ranker);
  transaction.commit();
  rankers_[ranker.signature] = {ranker.version, ranker.results, std::move(model)};
  spdlog::info("ranker {}: version {} has learned from {} results", ranker.signature.substr(0, 12), ranker.version,
               ranker.results);
  unattended_.insert(served_.begin(), served_.end());
}

Experiment& Platform::open(const std::string& name) {
  const auto loaded = experiments_.find(name);
  if (loaded != experiments_.end()) return loaded->second;
  std::optional<ExperimentRecord> record = store_.find_experiment(name);
  if (!record) throw UnknownExperiment("experiment: \"" + name + "\" is not known; send IN first");
  std::vector<ConfigurationRecord> configurations = store_.configurations(record->id);
  std::optional<DatasetRecord> dataset = store_.find_dataset(record->id);
  Experiment experiment(std::move(*record), std::move(configurations), std::move(dataset));
  return experiments_.emplace(name, std::move(experiment)).first->second;
}

std::int64_t Platform::open_run(const Experiment& experiment, const std::string& run) {
  check_run_name(run);
  const std::optional<std::int64_t> id = store_.find_run(experiment.record().id, run);
  if (!id) throw UnknownExperiment("run: \"" + run + "\" is not known; send IN first");
  return *id;
}

const SelectionPolicy& Platform::policy(const std::string& name) {
  std::unique_ptr<SelectionPolicy>& policy = policies_[name];
  try {
    if (!policy) policy = make_policy(name);
  } catch (const InputError& error) {
    policies_.erase(name);
    throw InputError(std::string("policy: ") + error.what());
  }
  return *policy;
}

Platform::Ranker& Platform::ranker(const std::string& signature) {
  const auto loaded = rankers_.find(signature);
  if (loaded != rankers_.end()) return loaded->second;
  Ranker ranker;
  if (const std::optional<RankerRecord> record = store_.latest_ranker(signature)) {
    ranker.version = record->version;
    try {
      ranker.model = std::make_shared<const RankingModel>(RankingModel::deserialize(record->model));
      ranker.results = record->results;
    } catch (const StoreError& error) {
      spdlog::error("ranker {} version {} cannot be read, suggestions go without it: {}", signature.substr(0, 12),
                    record->version, error.what());
    }
  }
  return rankers_.emplace(signature, std::move(ranker)).first->second;
}

ConfigurationRecord Platform::add_configuration(Experiment& experiment, ConfigurationRecord configuration,
                                                const std::string& field, std::string* warning) {
  const Configuration parsed = parse_configuration(configuration.parameters, field, experiment);
  configuration.fingerprint = fingerprint(parsed);
  if (fingerprint(parse_json(configuration.parameters, field)) != configuration.fingerprint)
    configuration.parameters = parsed.dump();
  try {
    experiment.space().check(parsed);
    configuration.space = experiment.record().space;
  } catch (const InputError& error) {
    add_warning(warning, field + ": not a point of the search space (" + error.what() + "); stored, not ranked by");
  }
  if (configuration.space != 0) add_warning(warning, violation(experiment.annotation(), parsed, field));
  configuration.outcome = store_.trial_outcome(configuration);
  configuration.id = store_.add_configuration(experiment.record().id, configuration);
  experiment.add(configuration);
  return configuration;
}

ConfigurationRecord Platform::trial_of(Experiment& experiment, std::int64_t run, const MetricReport& report,
                                       std::string* warning) {
  ConfigurationRecord added;
  added.run = run;
  added.parameters = report.parameters;
  if (report.parameter_id) {
    check_not_negative("parameter_id", *report.parameter_id);
    const std::string id = std::to_string(*report.parameter_id);
    const ConfigurationRecord* known = experiment.find(run, *report.parameter_id);
    if (known && (report.parameters.empty() || fingerprint(parse_configuration(report.parameters, "parameters",
                                                                               experiment)) == known->fingerprint)) {
      return *known;
    }
    if (!known && report.parameters.empty()) {
      throw InputError("parameter_id: " + id + " has no configuration in this run, and `parameters` is empty");
    }
    if (!known) {
      added.parameter_id = report.parameter_id;
      added.source = ConfigurationSource::kFallback;
      return add_configuration(experiment, std::move(added), "parameters", warning);
    }
    // An id never gets two configurations, and a result belongs to what was really run: it becomes a trial of its own.
    add_warning(warning, "parameter_id: " + id + " stands for another configuration; recorded as a customized trial");
  }
  if (report.trial_job_id.empty() || report.trial_job_id.size() > 128) {
    throw InputError("trial_job_id: expected 1 to 128 bytes to tell trials apart, got " +
                     std::to_string(report.trial_job_id.size()));
  }
  if (const ConfigurationRecord* known = experiment.find_trial(report.trial_job_id)) return *known;
  if (report.parameters.empty())
    throw InputError("parameters: expected the configuration of a trial without parameter id");
  added.trial_job_id = report.trial_job_id;
  added.source = report.parameter_id ? ConfigurationSource::kFallback : ConfigurationSource::kCustomized;
  return add_configuration(experiment, std::move(added), "parameters", warning);
}

void Platform::add_result(Experiment& experiment, std::int64_t configuration, const std::string& value,
                          std::string* warning) {
  const Metric metric = parse_metric(value);
  add_warning(warning, metric.warning);
  store_.add_result(configuration, value, metric.number);
  const std::size_t before = experiment.count_ranked();
  experiment.set_result(configuration, metric.number);
  past_tasks_.changed(experiment.record().id);
  const auto budget = static_cast<std::size_t>(experiment.record().budget);
  if (before < budget && experiment.count_ranked() >= budget) update_if_stale(experiment.record());
}

}  // namespace hyperfd
