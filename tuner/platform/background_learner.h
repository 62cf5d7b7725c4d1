#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "tuner/platform/records.h"
#include "tuner/ranker/ranker_options.h"
#include "tuner/ranker/task_experience.h"

namespace hyperfd {

// What an update needs to know of a task apart from its results.
struct LearningTask {
  DatasetRecord dataset;
  TaskRole role = TaskRole::kPast;
  std::shared_ptr<DatasetClient> client;  // nullptr: the data set cannot be asked
};

// One update of the ranker of a signature.
struct LearningJob {
  std::string definition;  // a space of the signature, JSON text
  std::string annotation;  // of that space, JSON text; "": none
  RankerOptions options;
  RankerRecord previous;  // version 0 and no model: there is none yet
  std::vector<ExperienceRecord> experience;
  std::map<std::int64_t, LearningTask> tasks;  // by ExperienceRecord::task, those of whose data sets something is known
};

struct LearningResult {
  RankerRecord ranker;  // the next version
  std::string error;    // "" unless the update failed; then `ranker` holds only the signature
};

// The next version of a ranker. It starts anew where the space's encoding or the number of hidden units has changed.
// Throws what RankingModel and SearchSpace throw, InputError for image features of different extractors.
RankerRecord learn_ranker(const LearningJob& job);

// Trains rankers on a thread of its own, one job at a time, in order. It never touches the store: jobs carry their
// input, results are collected by the owner. Thread-safe.
class BackgroundLearner {
 public:
  using Learn = std::function<RankerRecord(const LearningJob&)>;

  // `on_finished` is called on the learner's thread whenever a result is ready to be taken. `learn` is what a job does
  // there.
  explicit BackgroundLearner(std::function<void()> on_finished, Learn learn = learn_ranker);
  // Waits for the job under way and drops the rest.
  ~BackgroundLearner();

  void submit(LearningJob job);
  std::vector<LearningResult> take_finished();

 private:
  void work();

  std::function<void()> on_finished_;
  Learn learn_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  std::deque<LearningJob> jobs_;
  std::vector<LearningResult> finished_;
  std::thread thread_;  // last: it uses the members above
};

}  // namespace hyperfd
