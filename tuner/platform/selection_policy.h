#pragma once

#include <memory>
#include <string>
#include <unordered_set>
#include <vector>

#include "tuner/base/rng.h"
#include "tuner/ranker/ranking_model.h"
#include "tuner/space/annotation.h"
#include "tuner/space/search_space.h"

namespace hyperfd {

struct ScoredConfiguration {
  Configuration configuration;
  double score = 0;  // higher is better: the sign of a minimised metric is already turned
};

// One question to a policy.
struct TaskView {
  const SearchSpace& space;
  const std::vector<ScoredConfiguration>& results;  // of this task, points of `space`, oldest first
  // fingerprint() of every configuration this task already has, with or without result. A set that the caller keeps, so
  // that an answer costs the same after ten trials and after ten thousand.
  const std::unordered_set<std::string>& taken;
  const RankingModel* model;  // nullptr: the signature has no trained model yet
  const Annotation& annotation = Annotation::none();  // of `space`; what violates its constraints is not suggested
};

// Chooses the next configurations. One instance may serve many tasks; suggest() is const and takes all state from its
// arguments.
class SelectionPolicy {
 public:
  virtual ~SelectionPolicy() = default;
  // `count` configurations that differ from each other and from `taken`; fewer only when the space has no more.
  virtual std::vector<Configuration> suggest(const TaskView& task, std::size_t count, Rng& rng) const = 0;
};

// The policies by name, for --help and error messages.
std::vector<std::string> policy_names();
// Throws InputError that suggests the nearest name.
std::unique_ptr<SelectionPolicy> make_policy(const std::string& name);

}  // namespace hyperfd
