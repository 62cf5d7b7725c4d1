#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "tuner/platform/records.h"
#include "tuner/platform/selection_policy.h"
#include "tuner/space/search_space.h"

namespace hyperfd {

// One task in memory: what the store holds of an experiment, indexed for the questions that messages ask.
// Changes here follow changes in the store; when a transaction fails the object is dropped and read again.
class Experiment {
 public:
  // `configurations` in the order in which they were stored. Throws InputError when the record's space or annotation
  // does not parse.
  Experiment(ExperimentRecord record, std::vector<ConfigurationRecord> configurations,
             std::optional<DatasetRecord> dataset);

  const ExperimentRecord& record() const { return record_; }
  const SearchSpace& space() const { return *space_; }
  const Annotation& annotation() const { return annotation_; }
  // A record with the same id and name; the space may be another. As it was when this throws.
  void change(ExperimentRecord record);

  // The row of a parameter id in a run, or of a trial without parameter id; nullptr if there is none.
  const ConfigurationRecord* find(std::int64_t run, std::int64_t parameter_id) const;
  const ConfigurationRecord* find_trial(const std::string& trial_job_id) const;
  // Of the rows of one configuration, one that has a result, else the newest without; nullptr if it is new.
  const ConfigurationRecord* find_configuration(const std::string& fingerprint) const;

  // One more than the largest parameter id of the run, 0 if it has none.
  std::int64_t next_parameter_id(std::int64_t run) const;

  void add(ConfigurationRecord configuration);
  void set_result(std::int64_t configuration, std::optional<double> metric);
  void set_outcome(std::int64_t configuration, TrialOutcome outcome);

  // Numbers that the task is ranked by.
  std::size_t count_ranked() const { return ranked_; }
  // Configurations that the policy chose, over all runs.
  std::size_t count_suggested() const { return suggested_; }

  // Points of the space that the policy chose in other runs than `run`, that nobody has tried: no run of them has a
  // result or an end, and `run` does not have them. (When NNI is stopped it forgets what it asked for and had not
  // started.)
  std::vector<Configuration> abandoned(std::int64_t run) const;

  // Of this task's data set; nullopt: nothing is known.
  const std::optional<DatasetRecord>& dataset() const { return dataset_; }
  void set_dataset(DatasetRecord dataset) { dataset_ = std::move(dataset); }

  // What a policy sees; `version` is that of the ranker `model`. Valid until the next call or change of this object.
  TaskView view(const RankingModel* model, std::int64_t version, const PastExperience& past,
                const std::vector<std::string>& names);
  // Of what is known of the data set in numbers, in alphabetical order.
  std::vector<std::string> number_names() const;

 private:
  struct Entry {
    ConfigurationRecord record;
    Configuration configuration;
    bool in_space = false;  // a point of today's space
  };

  bool ranks(const Entry& entry) const {
    return entry.in_space && entry.record.metric && entry.record.outcome != TrialOutcome::kFailed;
  }
  Entry& entry(std::int64_t configuration);
  void index(std::size_t position);
  void refresh_results();
  // Keeps results_ and pending_ as they were after a row changed from or to one that ranks or waits.
  void refresh(std::size_t position);
  bool waits(const Entry& entry) const { return entry.in_space && !entry.record.has_result && !entry.record.outcome; }
  bool is_point(const Configuration& configuration) const;

  ExperimentRecord record_;
  std::optional<DatasetRecord> dataset_;
  std::unique_ptr<SearchSpace> space_;
  Annotation annotation_;  // of *space_
  std::vector<Entry> entries_;
  std::unordered_map<std::int64_t, std::size_t> by_row_;
  std::map<std::pair<std::int64_t, std::int64_t>, std::size_t> by_parameter_id_;
  std::unordered_map<std::string, std::size_t> by_trial_;
  std::unordered_map<std::string, std::vector<std::size_t>> by_fingerprint_;
  std::size_t ranked_ = 0;
  std::size_t suggested_ = 0;

  // For view().
  ConfigurationKeys taken_;
  std::vector<ScoredConfiguration> results_;
  std::vector<std::size_t> ranked_positions_;  // of results_, in entries_; ascending
  std::set<std::size_t> waiting_positions_;
  std::vector<Configuration> pending_;
  std::vector<double> statistics_;
  std::vector<float> feature_;
};

}  // namespace hyperfd
