#pragma once

#include "tuner/base/error.h"
#include "tuner/platform/experience_store.h"

namespace hyperfd {

// A store whose disk fails at a chosen call: before the call has an effect, or (for commit) as seen from outside.
class FaultyStore : public ExperienceStore {
 public:
  explicit FaultyStore(ExperienceStore& store) : store_(store) {}

  // The `call`-th call from now on fails, 0 being the next; negative: none.
  void fail_at(int call) { until_failure_ = call; }
  int calls() const { return calls_; }

  void begin(Durability durability) override {
    count();
    store_.begin(durability);
  }
  void commit() override {
    count();
    store_.commit();
  }
  void rollback() noexcept override { store_.rollback(); }

  std::int64_t space(const std::string& signature, const std::string& definition) override {
    return passed_on().space(signature, definition);
  }
  std::string definition(const std::string& signature) override { return passed_on().definition(signature); }
  std::int64_t count_experiments(const std::string& prefix) override { return passed_on().count_experiments(prefix); }
  std::optional<ExperimentRecord> find_experiment(const std::string& name) override {
    return passed_on().find_experiment(name);
  }
  std::int64_t add_experiment(const ExperimentRecord& experiment) override {
    return passed_on().add_experiment(experiment);
  }
  void update_experiment(const ExperimentRecord& experiment) override { passed_on().update_experiment(experiment); }
  std::optional<std::int64_t> find_run(std::int64_t experiment, const std::string& name) override {
    return passed_on().find_run(experiment, name);
  }
  std::int64_t add_run(std::int64_t experiment, const std::string& name) override {
    return passed_on().add_run(experiment, name);
  }
  void end_run(std::int64_t run) override { passed_on().end_run(run); }
  std::vector<ConfigurationRecord> configurations(std::int64_t experiment) override {
    return passed_on().configurations(experiment);
  }
  std::int64_t add_configuration(std::int64_t experiment, const ConfigurationRecord& configuration) override {
    return passed_on().add_configuration(experiment, configuration);
  }
  void add_result(std::int64_t configuration, const std::string& value, std::optional<double> metric) override {
    passed_on().add_result(configuration, value, metric);
  }
  bool add_intermediate_result(const IntermediateResult& result) override {
    return passed_on().add_intermediate_result(result);
  }
  bool add_trial_end(const TrialEndRecord& end) override { return passed_on().add_trial_end(end); }
  std::optional<TrialOutcome> trial_outcome(const ConfigurationRecord& configuration) override {
    return passed_on().trial_outcome(configuration);
  }
  std::optional<DatasetRecord> find_dataset(std::int64_t task) override { return passed_on().find_dataset(task); }
  void set_dataset(const DatasetRecord& dataset) override { passed_on().set_dataset(dataset); }
  std::vector<DatasetRecord> datasets(const std::string& signature) override { return passed_on().datasets(signature); }
  void add_offline_features(std::int64_t task, const std::string& features) override {
    passed_on().add_offline_features(task, features);
  }
  std::vector<std::pair<std::int64_t, std::string>> offline_features(const std::string& signature) override {
    return passed_on().offline_features(signature);
  }
  std::vector<ExperienceRecord> experience(const std::string& signature, std::optional<std::int64_t> task) override {
    return passed_on().experience(signature, task);
  }
  std::int64_t count_results(const std::string& signature) override { return passed_on().count_results(signature); }
  std::int64_t count_past_tasks(const std::string& signature, std::int64_t experiment) override {
    return passed_on().count_past_tasks(signature, experiment);
  }
  std::optional<StoredReply> find_reply(const std::string& experiment, const std::string& request) override {
    return passed_on().find_reply(experiment, request);
  }
  void add_reply(std::int64_t experiment, const std::string& request, const StoredReply& reply) override {
    passed_on().add_reply(experiment, request, reply);
  }
  std::optional<RankerRecord> latest_ranker(const std::string& signature) override {
    return passed_on().latest_ranker(signature);
  }
  void add_ranker(const RankerRecord& ranker) override { passed_on().add_ranker(ranker); }
  MergedExperience merge(const std::string& file) override { return passed_on().merge(file); }
  void export_to(const std::string& file) override { passed_on().export_to(file); }
  std::vector<ExperimentSummary> experiments() override { return passed_on().experiments(); }
  std::vector<RankerSummary> rankers() override { return passed_on().rankers(); }

 private:
  void count() {
    ++calls_;
    if (until_failure_-- == 0) throw StoreError("disk full (made up)");
  }
  ExperienceStore& passed_on() {
    count();
    return store_;
  }

  ExperienceStore& store_;
  int until_failure_ = -1;
  int calls_ = 0;
};

}  // namespace hyperfd
