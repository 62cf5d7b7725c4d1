#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tuner/base/rng.h"
#include "tuner/platform/past_experience.h"
#include "tuner/ranker/ranking_model.h"
#include "tuner/space/annotation.h"
#include "tuner/space/search_space.h"

namespace hyperfd {

// One question to a policy.
struct TaskView {
  const SearchSpace& space;
  const std::vector<ScoredConfiguration>& results;  // of this task, points of `space`, oldest first
  // Every configuration that this task already has, with or without result. A set that the caller keeps, so that an
  // answer costs the same after ten trials and after ten thousand.
  const ConfigurationKeys& taken;
  const RankingModel* model;  // nullptr: the signature has no trained model yet
  // The other tasks of the signature. Their configurations are points of spaces of this signature, which is why a
  // policy checks them only where `space` may be a part of such a space (SearchSpace::only).
  const PastExperience& past = PastExperience::none();
  const std::vector<double>& statistics = no_statistics();  // of this task's data set; see PastTask::statistics()
  const Annotation& annotation = Annotation::none();  // of `space`; what violates its constraints is not suggested
  // Configurations of `taken` whose results are awaited, points of `space`; the latest of them.
  const std::vector<Configuration>& pending = no_configurations();

  // Of this task's data set, for rankers that know such: what the ranker's tasks are called by, and G's φ by `model`.
  const std::string& name = no_name();
  const std::vector<float>& feature = no_feature();

  static const std::string& no_name() {
    static const std::string nothing;
    return nothing;
  }
  static const std::vector<float>& no_feature() {
    static const std::vector<float> nothing;
    return nothing;
  }
  static const std::vector<double>& no_statistics() {
    static const std::vector<double> nothing;
    return nothing;
  }
  static const std::vector<Configuration>& no_configurations() {
    static const std::vector<Configuration> nothing;
    return nothing;
  }
};

// Chooses the next configurations. One instance may serve many tasks from many threads; suggest() is const and takes
// all state from its arguments.
class SelectionPolicy {
 public:
  virtual ~SelectionPolicy() = default;
  // `count` configurations that differ from each other and from `taken`; fewer only when the space has no more.
  virtual std::vector<Configuration> suggest(const TaskView& task, std::size_t count, Rng& rng) const = 0;

  // What suggest() reads apart from the task itself, so that a caller need not provide the rest.
  virtual bool uses_past() const = 0;
  // How TaskView::model is to be trained; nullopt when it is not read.
  virtual std::optional<RankerOptions> ranker_options() const { return std::nullopt; }
};

// The policies by name, for --help and error messages.
std::vector<std::string> policy_names();
// From `name` or `name:key=value:key=value`, see policy_options.h. Throws InputError that suggests the nearest name.
std::unique_ptr<SelectionPolicy> make_policy(const std::string& text);

}  // namespace hyperfd
