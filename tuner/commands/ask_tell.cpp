#include "tuner/commands/ask_tell.h"

#include <condition_variable>
#include <mutex>

#include "tuner/base/error.h"
#include "tuner/base/log.h"
#include "tuner/platform/selection_policy.h"
#include "tuner/platform/sqlite_store.h"

namespace hyperfd::commands {
namespace {

// Lets the command wait for the learner, which calls back on its own thread.
class Bell {
 public:
  void ring() {
    const std::lock_guard<std::mutex> lock(mutex_);
    rung_ = true;
    wake_.notify_one();
  }
  void wait() {
    std::unique_lock<std::mutex> lock(mutex_);
    wake_.wait(lock, [this] { return rung_; });
    rung_ = false;
  }

 private:
  std::mutex mutex_;
  std::condition_variable wake_;
  bool rung_ = false;
};

std::string rivals() {
  std::string names;
  for (const std::string& name : policy_names()) {
    if (name != "hyperfd") names += (names.empty() ? "" : ", ") + name;
  }
  return names;
}

}  // namespace

void add_ask_tell_options(CLI::App& command, AskTellOptions& options) {
  command.add_option("--space", options.space, "NNI search space, .json or .yaml")->required();
  command.add_option("--annotation", options.annotation,
                     "Constraints and architecture of the space (docs/search_spaces.md); default: SPACE.hyperfd.yaml "
                     "beside it, if there is one");
  command.add_option("--experiment", options.experiment, "Name of what is being tuned")->capture_default_str();
  command.add_option("--policy", options.policy,
                     "How to choose: hyperfd (default), or a rival to compare with: " + rivals());
  command.add_option("--seed", options.seed, "Same seed and store: same suggestions; default 0");
  command.add_flag_callback(
      "--minimize", [&options] { options.optimize_mode = OptimizeMode::kMinimize; }, "Lower results are better");
  command.add_flag_callback(
      "--maximize", [&options] { options.optimize_mode = OptimizeMode::kMaximize; },
      "Higher results are better (default)");
}

void ask_or_tell(const AskTellOptions& options, const std::function<void(Platform&)>& work) {
  set_up_log("warn");
  const std::unique_ptr<ExperienceStore> store = open_store(options.store);
  Bell learned;
  Platform platform(*store, [&] { learned.ring(); });
  const auto learn = [&] {
    platform.start_due_updates();
    while (platform.is_learning()) {
      learned.wait();
      platform.commit_learned();
    }
  };

  RunStart start;
  start.run = kCommandLineRun;
  const SearchSpace space = SearchSpace::load(options.space);
  start.space = space.definition().dump();
  start.annotation = Annotation::load(options.annotation, options.space, space).text();
  const std::optional<ExperimentRecord> known = store->find_experiment(options.experiment);
  start.optimize_mode = options.optimize_mode.value_or(known ? known->optimize_mode : OptimizeMode::kMaximize);
  if (options.keeps_optimize_mode && known && start.optimize_mode != known->optimize_mode) {
    throw InputError("experiment " + options.experiment + ": exists with optimize_mode " +
                     to_word(known->optimize_mode) + ", these results are to " + to_word(start.optimize_mode) +
                     "; choose another name with --experiment");
  }
  start.budget = known ? known->budget : 0;
  start.policy = options.policy.value_or(known ? known->policy : "hyperfd");
  start.seed = options.seed.value_or(known ? known->seed : 0);
  {
    StoreTransaction transaction(*store);
    platform.begin_run(options.experiment, start);
    transaction.commit();
  }
  learn();
  StoreTransaction transaction(*store);
  work(platform);
  transaction.commit();
}

}  // namespace hyperfd::commands
