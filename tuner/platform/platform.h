#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "tuner/base/error.h"
#include "tuner/platform/background_learner.h"
#include "tuner/platform/dataset_directory.h"
#include "tuner/platform/experience_store.h"
#include "tuner/platform/experiment.h"
#include "tuner/platform/past_tasks.h"

namespace hyperfd {

// The experiment, or the run of it, was never begun.
class UnknownExperiment : public InputError {
 public:
  using InputError::InputError;
};

struct RunStart {
  std::string run;
  std::string space;  // JSON text
  OptimizeMode optimize_mode = OptimizeMode::kMaximize;
  std::int64_t budget = 0;  // trials; 0: unknown
  std::string policy;
  std::int64_t seed = 0;
  std::string annotation = "";                  // of the space, JSON text; "" if it has none
  std::vector<NamedNumber> meta_features = {};  // numbers that a user gives of the data set
};

struct RunInfo {
  std::int64_t task = 0;
  bool resumed = false;         // the experiment existed before
  std::int64_t results = 0;     // of this experiment
  std::int64_t past_tasks = 0;  // other experiments with results on the same search space
  std::string signature;        // of the search space
};

// What the client that serves a task's data set says of it.
struct DatasetStart {
  std::string extractor;  // content hash of what made the image features
  std::int64_t image_features = 0;
  std::int64_t images = 0;
  std::vector<NamedNumber> statistics;
};

struct Suggestion {
  std::int64_t parameter_id = 0;
  std::string parameters;  // JSON text
  ConfigurationSource source = ConfigurationSource::kAlgorithm;
};

// A result or intermediate result. `parameters` is JSON text, "" where the platform gave the configuration out itself.
struct MetricReport {
  std::optional<std::int64_t> parameter_id;
  std::string trial_job_id;
  MetricKind kind = MetricKind::kFinal;
  std::int64_t sequence = 0;
  std::string value;
  std::string parameters;
};

struct ImportedResult {
  std::string parameters;  // JSON text
  std::string value;       // JSON text
};

// Several results of one configuration.
enum class RepeatedResults {
  kFirstCounts,  // the one that the experiment has already, if there is one
  kAllCount,     // as of several seeds; each number once, so that importing them again adds nothing
};

struct AdoptedTrial {
  std::int64_t parameter_id = 0;
  std::string parameters;  // JSON text
};

struct Effect {
  std::int64_t counted = 0;  // results or records that had an effect
  std::string warning;       // "" if none
};

// The tuner proper: experiments, their policies and the rankers, over one store. NNI, the command line and tests are
// its clients. Not thread-safe; learning goes on behind it on a thread of its own.
//
// Calls that change something belong inside a StoreTransaction of the caller, who calls forget() when it fails.
// They throw InputError that names the field, UnknownExperiment, StoreError.
class Platform {
 public:
  // `on_learned` is called on another thread when commit_learned() has something to do.
  Platform(ExperienceStore& store, std::function<void()> on_learned, BackgroundLearner::Learn learn = learn_ranker,
           DatasetDirectory& datasets = DatasetDirectory::none());

  // Creates the experiment or goes on with it, in a new run; settings, space and annotation are this call's from now
  // on. Constraints that leave nothing are an InputError.
  RunInfo begin_run(const std::string& experiment, const RunStart& start);
  void change_space(const std::string& experiment, const std::string& run, const std::string& space);
  // One configuration for each id, the same again for an id that has one. None is suggested twice, except that those of
  // earlier runs that nobody tried come again when the space has no more; fewer when these are used up, too.
  std::vector<Suggestion> suggest(const std::string& experiment, const std::string& run,
                                  const std::vector<std::int64_t>& parameter_ids);
  Effect add_metric(const std::string& experiment, const std::string& run, const MetricReport& report);
  Effect end_trial(const std::string& experiment, const std::string& run, std::optional<std::int64_t> parameter_id,
                   const std::string& trial_job_id, TrialOutcome outcome);
  // Results from elsewhere: a configuration that waits for its result gets it, for one that has a result `repeated`
  // decides. A further result is a further row, of the same configuration.
  Effect import_results(const std::string& experiment, const std::string& run,
                        const std::vector<ImportedResult>& results,
                        RepeatedResults repeated = RepeatedResults::kFirstCounts);
  Effect adopt(const std::string& experiment, const std::string& run, const std::vector<AdoptedTrial>& trials);
  void end_run(const std::string& experiment, const std::string& run);
  // A client begins to serve the images of the experiment's data set. InputError for features of another extractor than
  // the search space's ranker learns from.
  void open_dataset(const std::string& experiment, const DatasetStart& start);
  // φ that the data set was asked for (DatasetDirectory::request_feature). One of an outdated ranker is dropped, and
  // due again.
  void set_feature(std::int64_t task, std::int64_t version, std::vector<float> feature);

  std::int64_t task(const std::string& experiment) { return open(experiment).record().id; }
  // One more than the largest parameter id of the run, 0 if it has none.
  std::int64_t next_parameter_id(const std::string& experiment, const std::string& run);
  // Throws InputError when `configuration` is not a point of the experiment's search space, or violates a constraint.
  void check_point(const std::string& experiment, const Configuration& configuration);

  // Drops what is in memory of an experiment; the next call reads it from the store.
  void forget(const std::string& experiment);

  // ---- Continual learning; outside of transactions ----

  // Starts the ranker updates that committed changes made due.
  void start_due_updates();
  // Commits the ranker versions that are ready; suggestions use them from now on.
  void commit_learned();
  // Asks the data sets whose φ by today's rankers is not known yet, and dismisses those that are of no more use.
  void attend_datasets();
  bool is_learning(const std::string& signature) const { return learning_.count(signature) > 0; }
  bool is_learning() const { return !learning_.empty(); }

 private:
  struct Ranker {
    std::int64_t version = 0;
    std::int64_t results = 0;
    std::shared_ptr<const RankingModel> model;  // nullptr: none yet
  };

  Experiment& open(const std::string& name);
  std::int64_t open_run(const Experiment& experiment, const std::string& run);
  const SelectionPolicy& policy(const std::string& name);
  Ranker& ranker(const std::string& signature);
  ConfigurationRecord add_configuration(Experiment& experiment, ConfigurationRecord configuration,
                                        const std::string& field, std::string* warning);
  ConfigurationRecord trial_of(Experiment& experiment, std::int64_t run, const MetricReport& report,
                               std::string* warning);
  void add_result(Experiment& experiment, std::int64_t configuration, const std::string& value, std::string* warning);
  void update_if_stale(const ExperimentRecord& experiment) { due_[experiment.signature] = experiment; }
  // The ranker can rank the experiment's configurations: they are encoded as those that it has learned from.
  static bool reads(const Ranker& ranker, const ExperimentRecord& experiment);
  // The task's data set may lack φ by today's ranker.
  void attend(const ExperimentRecord& experiment) { unattended_[experiment.id] = experiment.name; }
  // Of the signature's offline tasks, by task; read from the store once.
  const std::map<std::int64_t, std::shared_ptr<DatasetClient>>& offline_datasets(const std::string& signature);
  LearningJob learning_job(const ExperimentRecord& experiment);
  void attend_dataset(std::int64_t task, const std::string& experiment);
  // Throws InputError when the space's ranker, or the data sets it would learn from, has other image features.
  void check_extractor(const ExperimentRecord& experiment, const DatasetRecord& dataset);
  void commit_ranker(const RankerRecord& ranker);

  ExperienceStore& store_;
  PastTasks past_tasks_;
  std::map<std::string, Experiment> experiments_;
  std::map<std::string, std::unique_ptr<SelectionPolicy>> policies_;
  std::map<std::string, Ranker> rankers_;
  std::map<std::string, std::map<std::int64_t, std::shared_ptr<DatasetClient>>> offline_datasets_;  // by signature
  // Signatures whose ranker may be stale, and the experiment that made it so: its policy and annotation count.
  std::map<std::string, ExperimentRecord> due_;
  std::set<std::string> learning_;  // signatures with an update under way
  DatasetDirectory& datasets_;
  std::map<std::int64_t, std::string> served_;      // tasks whose data sets were opened, and their experiments
  std::map<std::int64_t, std::string> unattended_;  // of these
  std::map<std::int64_t, std::string> ended_;       // tasks of `served_` whose run ended, and their signatures
  BackgroundLearner learner_;                       // last: its thread ends before the rest goes
};

}  // namespace hyperfd
