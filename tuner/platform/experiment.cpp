#include "tuner/platform/experiment.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "tuner/base/error.h"
#include "tuner/platform/dataset_numbers.h"

namespace hyperfd {

Experiment::Experiment(ExperimentRecord record, std::vector<ConfigurationRecord> configurations,
                       std::optional<DatasetRecord> dataset)
    : dataset_(std::move(dataset)) {
  change(std::move(record));
  entries_.reserve(configurations.size());
  for (ConfigurationRecord& configuration : configurations) add(std::move(configuration));
}

void Experiment::change(ExperimentRecord record) {
  const bool other_space = !space_ || record.definition != record_.definition;
  if (other_space || record.annotation != record_.annotation) {
    auto space = std::make_unique<SearchSpace>(SearchSpace::parse(parse_json(record.definition, "space")));
    annotation_ = Annotation::parse(record.annotation, *space);
    space_ = std::move(space);
  }
  if (other_space) {
    ranked_ = 0;
    for (Entry& entry : entries_) {
      entry.in_space = is_point(entry.configuration);
      ranked_ += ranks(entry);
    }
  }
  record_ = std::move(record);
  refresh_results();
}

const ConfigurationRecord* Experiment::find(std::int64_t run, std::int64_t parameter_id) const {
  const auto found = by_parameter_id_.find({run, parameter_id});
  return found == by_parameter_id_.end() ? nullptr : &entries_[found->second].record;
}

const ConfigurationRecord* Experiment::find_trial(const std::string& trial_job_id) const {
  const auto found = by_trial_.find(trial_job_id);
  return found == by_trial_.end() ? nullptr : &entries_[found->second].record;
}

const ConfigurationRecord* Experiment::find_configuration(const std::string& fingerprint) const {
  const auto found = by_fingerprint_.find(fingerprint);
  if (found == by_fingerprint_.end()) return nullptr;
  for (const std::size_t position : found->second) {
    if (entries_[position].record.has_result) return &entries_[position].record;
  }
  return &entries_[found->second.back()].record;
}

std::int64_t Experiment::next_parameter_id(std::int64_t run) const {
  const auto after = by_parameter_id_.lower_bound({run + 1, 0});
  if (after == by_parameter_id_.begin()) return 0;
  const auto [last_run, last_id] = std::prev(after)->first;
  return last_run == run ? last_id + 1 : 0;
}

void Experiment::add(ConfigurationRecord configuration) {
  Entry entry;
  entry.configuration = parse_json(configuration.parameters, "parameters");
  entry.in_space = is_point(entry.configuration);
  entry.record = std::move(configuration);
  entries_.push_back(std::move(entry));
  index(entries_.size() - 1);
}

void Experiment::set_result(std::int64_t configuration, std::optional<double> metric) {
  Entry& changed = entry(configuration);
  changed.record.has_result = true;
  changed.record.metric = metric;
  ranked_ += ranks(changed);
  refresh(by_row_.at(configuration));
}

void Experiment::set_outcome(std::int64_t configuration, TrialOutcome outcome) {
  Entry& changed = entry(configuration);
  ranked_ -= ranks(changed);
  changed.record.outcome = outcome;
  ranked_ += ranks(changed);
  refresh(by_row_.at(configuration));
}

std::vector<Configuration> Experiment::abandoned(std::int64_t run) const {
  std::vector<Configuration> found;
  std::unordered_set<std::string> done;  // each once
  for (const Entry& entry : entries_) {
    const ConfigurationRecord& record = entry.record;
    if (record.run == run || record.has_result || record.outcome) done.insert(record.fingerprint);
  }
  for (const Entry& entry : entries_) {
    if (!entry.in_space || entry.record.source != ConfigurationSource::kAlgorithm) continue;
    if (annotation_.find_violated(entry.configuration)) continue;
    if (done.insert(entry.record.fingerprint).second) found.push_back(entry.configuration);
  }
  return found;
}

std::vector<std::string> Experiment::number_names() const {
  return dataset_ ? names_of(dataset_->statistics) : std::vector<std::string>();
}

TaskView Experiment::view(const RankingModel* model, std::int64_t version, const PastExperience& past,
                          const std::vector<std::string>& names) {
  constexpr std::size_t kMostPending = 16;  // a trial may be lost without a word
  pending_.clear();
  for (auto at = waiting_positions_.rbegin(); at != waiting_positions_.rend() && pending_.size() < kMostPending; ++at) {
    pending_.push_back(entries_[*at].configuration);
  }
  statistics_.clear();
  feature_.clear();
  if (dataset_) statistics_ = numbers_in_order(dataset_->statistics, names);
  if (model && dataset_) {
    const bool is_of_today = dataset_->ranker_signature == record_.signature && dataset_->ranker_version == version;
    if (is_of_today) feature_ = dataset_->feature;
  }
  return {*space_, results_, taken_, model, past, statistics_, annotation_, pending_, record_.name, feature_};
}

Experiment::Entry& Experiment::entry(std::int64_t configuration) {
  return entries_[by_row_.at(configuration)];
}

void Experiment::index(std::size_t position) {
  const Entry& added = entries_[position];
  by_row_[added.record.id] = position;
  if (added.record.parameter_id) by_parameter_id_[{added.record.run, *added.record.parameter_id}] = position;
  if (!added.record.parameter_id && !added.record.trial_job_id.empty()) by_trial_[added.record.trial_job_id] = position;
  by_fingerprint_[added.record.fingerprint].push_back(position);
  ranked_ += ranks(added);
  suggested_ += added.record.source == ConfigurationSource::kAlgorithm;
  taken_.insert(configuration_key(added.configuration));
  refresh(position);
}

void Experiment::refresh_results() {
  results_.clear();
  ranked_positions_.clear();
  waiting_positions_.clear();
  for (std::size_t position = 0; position < entries_.size(); ++position) refresh(position);
}

void Experiment::refresh(std::size_t position) {
  const Entry& entry = entries_[position];
  if (waits(entry)) {
    waiting_positions_.insert(position);
  } else {
    waiting_positions_.erase(position);
  }
  const auto found = std::lower_bound(ranked_positions_.begin(), ranked_positions_.end(), position);
  const bool is_there = found != ranked_positions_.end() && *found == position;
  const auto result = results_.begin() + (found - ranked_positions_.begin());
  if (is_there && !ranks(entry)) {
    results_.erase(result);
    ranked_positions_.erase(found);
  } else if (!is_there && ranks(entry)) {
    const double sign = record_.optimize_mode == OptimizeMode::kMinimize ? -1 : 1;
    results_.insert(result, {entry.configuration, sign * *entry.record.metric});
    ranked_positions_.insert(found, position);
  }
}

bool Experiment::is_point(const Configuration& configuration) const {
  try {
    space_->check(configuration);
    return true;
  } catch (const InputError&) {
    return false;
  }
}

}  // namespace hyperfd
