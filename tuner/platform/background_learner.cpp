#include "tuner/platform/background_learner.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "tuner/base/digest.h"
#include "tuner/base/error.h"
#include "tuner/platform/configuration_encoding.h"
#include "tuner/platform/dataset_numbers.h"
#include "tuner/ranker/ranking_model.h"
#include "tuner/space/search_space.h"

namespace hyperfd {
namespace {

// Records come ordered by experiment; minimised metrics are turned so that higher is better.
std::vector<TaskExperience> by_task(const std::vector<ExperienceRecord>& records, const SearchSpace& space,
                                    const Annotation& annotation) {
  std::vector<TaskExperience> tasks;
  for (const ExperienceRecord& record : records) {
    if (tasks.empty() || tasks.back().task != record.experiment) tasks.push_back({record.experiment, {}, {}});
    tasks.back().encodings.push_back(encode(space, annotation, parse_json(record.parameters, "parameters")));
    tasks.back().scores.push_back(record.optimize_mode == OptimizeMode::kMinimize ? -record.metric : record.metric);
  }
  return tasks;
}

// The model that an update starts from.
RankingModel starting_model(const LearningJob& job, const EncodingShape& shape, std::uint64_t seed) {
  if (!job.previous.model.empty()) {
    RankingModel previous = RankingModel::deserialize(job.previous.model, job.options);
    const bool same_width = previous.options().hidden_units == job.options.hidden_units;
    if (previous.shape() == shape && same_width) return previous;
  }
  return RankingModel(shape, job.options, seed);
}

// What tasks have numbers for: what the ranker has learned from, or else what the latest task with numbers has.
void name_numbers(RankingModel& model, const LearningJob& job) {
  std::vector<std::string> names;
  for (const auto& entry : job.tasks) {
    const std::vector<std::string> own = names_of(entry.second.dataset.statistics);
    if (!own.empty()) names = own;
  }
  model.name_numbers(names);
}

// What may be told of such inputs of G, by which they are standardised: numbers of offline data sets. The constants go
// to every client with the weights, so no other client's numbers may be in them; images never come here.
std::vector<std::vector<float>> without_images(const LearningJob& job, const ExtractorInput& input) {
  std::vector<std::vector<float>> rows;
  for (const auto& entry : job.tasks) {
    if (entry.second.role != TaskRole::kOffline) continue;
    const DatasetRecord& dataset = entry.second.dataset;
    const auto is_known = [](const NamedNumber& number) { return std::abs(number.value) <= kLargestDatasetNumber; };
    if (extractor_input(dataset) != input ||
        !std::all_of(dataset.statistics.begin(), dataset.statistics.end(), is_known)) {
      continue;
    }
    rows.emplace_back(input.image_features, 0.0f);
    for (const NamedNumber& number : dataset.statistics) rows.back().push_back(static_cast<float>(number.value));
  }
  return rows;
}

void check_extractor(const RankingModel& model, const LearningTask& task, const std::string& name) {
  const ExtractorInput own = extractor_input(task.dataset), expected = model.extractor_input().value_or(own);
  if (own != expected) throw InputError("task " + name + ": " + mismatch(own, expected));
}

}  // namespace

BackgroundLearner::BackgroundLearner(std::function<void()> on_finished, Learn learn)
    : on_finished_(std::move(on_finished)), learn_(std::move(learn)), thread_([this] { work(); }) {}

BackgroundLearner::~BackgroundLearner() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void BackgroundLearner::submit(LearningJob job) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    jobs_.push_back(std::move(job));
  }
  wake_.notify_one();
}

std::vector<LearningResult> BackgroundLearner::take_finished() {
  const std::lock_guard<std::mutex> lock(mutex_);
  return std::exchange(finished_, {});
}

RankerRecord learn_ranker(const LearningJob& job) {
  const SearchSpace space = SearchSpace::parse(parse_json(job.definition, "space"));
  const std::uint64_t seed = stable_hash(job.previous.signature + "/" + std::to_string(job.previous.version + 1));
  const Annotation annotation = Annotation::parse(job.annotation, space);
  RankingModel model = starting_model(job, encoding_shape(space, annotation), seed);
  model.add_effects(space.encoding_columns());
  name_numbers(model, job);

  std::vector<TaskExperience> experience = by_task(job.experience, space, annotation);
  std::map<std::string, std::int64_t> numbers;
  for (const ExperienceRecord& record : job.experience) numbers[record.experiment] = record.task;
  for (TaskExperience& task : experience) {
    const auto found = job.tasks.find(numbers.at(task.task));
    if (found == job.tasks.end()) continue;
    const LearningTask& known = found->second;
    task.statistics = numbers_in_order(known.dataset.statistics, model.number_names());
    task.role = known.role;
    if (known.dataset.ranker_signature == job.previous.signature &&
        known.dataset.ranker_version == job.previous.version &&
        static_cast<std::int64_t>(known.dataset.feature.size()) == model.options().hidden_units) {
      task.feature = known.dataset.feature;
    }
    if (!known.client) continue;
    const ExtractorInput input = extractor_input(known.dataset);
    if (!model.extractor_input()) model.add_extractor(input, without_images(job, input), seed);
    check_extractor(model, known, task.task);
    task.dataset = known.client.get();
  }
  model.update(experience, seed);
  RankerRecord next;
  next.signature = job.previous.signature;
  next.version = job.previous.version + 1;
  next.results = static_cast<std::int64_t>(job.experience.size());
  next.model = model.serialize();
  return next;
}

void BackgroundLearner::work() {
  std::unique_lock<std::mutex> lock(mutex_);
  while (true) {
    wake_.wait(lock, [this] { return stopping_ || !jobs_.empty(); });
    if (stopping_) return;
    std::optional<LearningJob> job = std::move(jobs_.front());
    jobs_.pop_front();
    lock.unlock();
    LearningResult result;
    try {
      result.ranker = learn_(*job);
    } catch (const std::exception& error) {
      result.ranker.signature = job->previous.signature;
      result.error = error.what();
    }
    job.reset();  // gives the data sets back before anybody hears of the result
    lock.lock();
    finished_.push_back(std::move(result));
    lock.unlock();
    on_finished_();
    lock.lock();
  }
}

}  // namespace hyperfd
