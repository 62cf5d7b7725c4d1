#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tuner/platform/records.h"

namespace hyperfd {

// What a committed transaction survives.
enum class Durability {
  kMachine,  // a crash of the machine, also: its commit() waits for the disk
  kProcess,  // a crash of the process; one of the machine from the next commit() of the other kind on
};

// Where experience lives: experiments, configurations, results, replies and ranker versions. docs/store.md specifies
// it. Every write belongs to a transaction; what that survives is in its begin(). One thread at a time. Every method
// throws StoreError, after which the transaction can only be rolled back.
class ExperienceStore {
 public:
  virtual ~ExperienceStore() = default;

  virtual void begin(Durability durability) = 0;
  virtual void commit() = 0;
  virtual void rollback() noexcept = 0;

  // The row of this space, added if it is new. `definition` is JSON text; spaces of one signature may be written
  // differently.
  virtual std::int64_t space(const std::string& signature, const std::string& definition) = 0;

  // The newest definition of a space of this signature.
  virtual std::string definition(const std::string& signature) = 0;

  // Those whose names begin with `prefix`.
  virtual std::int64_t count_experiments(const std::string& prefix) = 0;
  virtual std::optional<ExperimentRecord> find_experiment(const std::string& name) = 0;
  virtual std::int64_t add_experiment(const ExperimentRecord& experiment) = 0;
  virtual void update_experiment(const ExperimentRecord& experiment) = 0;

  virtual std::optional<std::int64_t> find_run(std::int64_t experiment, const std::string& name) = 0;
  virtual std::int64_t add_run(std::int64_t experiment, const std::string& name) = 0;
  virtual void end_run(std::int64_t run) = 0;

  // In the order in which they were added.
  virtual std::vector<ConfigurationRecord> configurations(std::int64_t experiment) = 0;
  virtual std::int64_t add_configuration(std::int64_t experiment, const ConfigurationRecord& configuration) = 0;
  // At most one for each configuration. `metric` is nullopt where `value` is not a number.
  virtual void add_result(std::int64_t configuration, const std::string& value, std::optional<double> metric) = 0;
  // False when the result of this sequence number is there already.
  virtual bool add_intermediate_result(const IntermediateResult& result) = 0;
  // False when the end of this trial is there already.
  virtual bool add_trial_end(const TrialEndRecord& end) = 0;
  // How the trial of this configuration (id, or trial job where it has no id) ended; nullopt when nobody said so.
  virtual std::optional<TrialOutcome> trial_outcome(const ConfigurationRecord& configuration) = 0;

  virtual std::optional<DatasetRecord> find_dataset(std::int64_t task) = 0;
  // Replaces what is there.
  virtual void set_dataset(const DatasetRecord& dataset) = 0;
  // Of the tasks with results on spaces of this signature, by task.
  virtual std::vector<DatasetRecord> datasets(const std::string& signature) = 0;

  // Image features (DatasetFeatures::serialize()) of offline tasks, whose data sets can always be asked.
  virtual void add_offline_features(std::int64_t task, const std::string& features) = 0;
  // Of tasks with results on spaces of this signature, by task.
  virtual std::vector<std::pair<std::int64_t, std::string>> offline_features(const std::string& signature) = 0;

  // Results of all experiments on spaces of this signature: numbers, of trials that did not fail; by experiment, oldest
  // first; only of `task` if it is given.
  virtual std::vector<ExperienceRecord> experience(const std::string& signature,
                                                   std::optional<std::int64_t> task = std::nullopt) = 0;
  virtual std::int64_t count_results(const std::string& signature) = 0;
  // Experiments other than `experiment` with results on spaces of this signature.
  virtual std::int64_t count_past_tasks(const std::string& signature, std::int64_t experiment) = 0;

  virtual std::optional<StoredReply> find_reply(const std::string& experiment, const std::string& request) = 0;
  // Keeps the newest kKeptReplies of the experiment.
  virtual void add_reply(std::int64_t experiment, const std::string& request, const StoredReply& reply) = 0;

  virtual std::optional<RankerRecord> latest_ranker(const std::string& signature) = 0;
  // Keeps the newest kKeptRankers of the signature.
  virtual void add_ranker(const RankerRecord& ranker) = 0;

  // Adds the experiments of another store that this one has none of the same name of, with their results and data sets,
  // and its rankers for the signatures that this one has no ranker of. A bundle's task (kOfflinePrefix) that was made
  // later than the one here, on a space of the same signature, replaces it, and with it the ranker. A transaction of
  // its own, all or nothing. `file` may be in use. Replies do not come along: their clients know another store.
  virtual MergedExperience merge(const std::string& file) = 0;
  // Everything in one new file that needs no other, for merge() or as a store.
  virtual void export_to(const std::string& file) = 0;

  virtual std::vector<ExperimentSummary> experiments() = 0;
  virtual std::vector<RankerSummary> rankers() = 0;

  // A client resends what is not yet answered, at most a handful of requests; effects are idempotent by their own keys.
  static constexpr int kKeptReplies = 1000;
  static constexpr int kKeptRankers = 5;
};

// Begins on construction; rolls back unless commit() was reached.
class StoreTransaction {
 public:
  explicit StoreTransaction(ExperienceStore& store, Durability durability = Durability::kMachine) : store_(store) {
    store_.begin(durability);
  }
  StoreTransaction(const StoreTransaction&) = delete;
  StoreTransaction& operator=(const StoreTransaction&) = delete;
  ~StoreTransaction() {
    if (!committed_) store_.rollback();
  }
  void commit() {
    store_.commit();
    committed_ = true;
  }

 private:
  ExperienceStore& store_;
  bool committed_ = false;
};

}  // namespace hyperfd
