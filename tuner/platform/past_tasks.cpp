#include "tuner/platform/past_tasks.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "tuner/platform/dataset_numbers.h"

namespace hyperfd {
namespace {

using Records = std::vector<ExperienceRecord>;

std::shared_ptr<const PastTask> make_task(const SearchSpace& space, Records::const_iterator begin,
                                          Records::const_iterator end, std::vector<double> statistics) {
  std::vector<ScoredConfiguration> results;
  for (auto record = begin; record != end; ++record) {
    const double sign = record->optimize_mode == OptimizeMode::kMinimize ? -1 : 1;
    results.push_back({parse_json(record->parameters, "parameters"), sign * record->metric});
  }
  return std::make_shared<const PastTask>(begin->experiment, space, results, std::move(statistics),
                                          is_offline(begin->experiment));
}

}  // namespace

std::shared_ptr<const PastExperience> PastTasks::others(const SearchSpace& space, std::int64_t task,
                                                        const std::vector<std::string>& names) {
  Signature& known = load(space, names);
  for (auto stale = known.stale.begin(); stale != known.stale.end();) {
    if (*stale == task) {
      ++stale;  // until somebody else asks
      continue;
    }
    read_again(known, space, *stale);
    stale = known.stale.erase(stale);
  }
  PastExperience::Tasks tasks;
  for (const auto& [number, other] : known.tasks) {
    if (number != task) tasks.push_back(other);
  }
  std::stable_partition(tasks.begin(), tasks.end(), [](const auto& other) { return other->offline(); });
  std::shared_ptr<const PastExperience>& answer = known.answers[task];
  if (!answer || answer->tasks() != tasks) answer = std::make_shared<const PastExperience>(std::move(tasks));
  return answer;
}

void PastTasks::changed(std::int64_t task) {
  for (auto& signature : signatures_) signature.second.stale.insert(task);
}

void PastTasks::forget(std::int64_t task) {
  for (auto& signature : signatures_) signature.second.answers.erase(task);
}

PastTasks::Signature& PastTasks::load(const SearchSpace& space, const std::vector<std::string>& names) {
  const auto loaded = signatures_.find(space.signature());
  if (loaded != signatures_.end() && loaded->second.names == names) return loaded->second;
  const Records records = store_.experience(space.signature());
  std::map<std::int64_t, std::vector<double>> statistics;
  for (const DatasetRecord& dataset : store_.datasets(space.signature())) {
    statistics[dataset.task] = numbers_in_order(dataset.statistics, names);
  }
  Signature known;
  known.names = names;
  for (auto begin = records.begin(), end = begin; begin != records.end(); begin = end) {
    while (end != records.end() && end->task == begin->task) ++end;
    known.tasks[begin->task] = make_task(space, begin, end, statistics[begin->task]);
  }
  return signatures_.insert_or_assign(space.signature(), std::move(known)).first->second;
}

void PastTasks::read_again(Signature& known, const SearchSpace& space, std::int64_t task) {
  const Records records = store_.experience(space.signature(), task);
  if (records.empty()) {
    known.tasks.erase(task);
  } else {
    const std::optional<DatasetRecord> dataset = store_.find_dataset(task);
    known.tasks[task] = make_task(space, records.begin(), records.end(),
                                  dataset ? numbers_in_order(dataset->statistics, known.names) : std::vector<double>());
  }
}

}  // namespace hyperfd
