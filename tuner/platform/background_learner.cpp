#include "tuner/platform/background_learner.h"

#include <utility>

#include "tuner/base/digest.h"
#include "tuner/platform/configuration_encoding.h"
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
  const EncodingShape shape = encoding_shape(space, annotation);
  RankingModel model(shape, RankerOptions{}, seed);
  if (!job.previous.model.empty()) {
    RankingModel previous = RankingModel::deserialize(job.previous.model);
    if (previous.shape() == shape) model = std::move(previous);  // else the annotation names another encoder now
  }
  model.update(by_task(job.experience, space, annotation), seed);
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
    const LearningJob job = std::move(jobs_.front());
    jobs_.pop_front();
    lock.unlock();
    LearningResult result;
    try {
      result.ranker = learn_(job);
    } catch (const std::exception& error) {
      result.ranker.signature = job.previous.signature;
      result.error = error.what();
    }
    lock.lock();
    finished_.push_back(std::move(result));
    lock.unlock();
    on_finished_();
    lock.lock();
  }
}

}  // namespace hyperfd
