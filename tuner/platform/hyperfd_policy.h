#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "tuner/platform/policy_options.h"
#include "tuner/platform/selection_policy.h"
#include "tuner/ranker/posterior_ensemble.h"

namespace hyperfd {

// `hyperfd`: what past tasks say (the ranker) and what this task's results say, together (docs/ranker.md).
//
// Candidates are those of candidates.h, and in a large space mutants of the best of them. The first two suggestions of
// a task are the top of the ranking; where it knows ten past tasks or more, the next two are the best expected by a
// posterior over ranking and own results. After that each is the candidate with the largest expected improvement over
// the best so far; awaited configurations count as if they had come out as expected, so suggestions asked for at once
// differ. A model that knows one past task is trusted less: the posterior begins after the first suggestion, and the
// second and the fourth are random. Without a trained model suggestions are random until five results are in; from then
// on the task's own results are all there is. In a space with nested choices every fifth suggestion is random, lest a
// branch be given up for one bad draw.
//
// Options: `explore`, what comes after the first suggestion, is `improvement`, as above; `random_half`, the paper's way
// (ratio 0.5), a random candidate that is no mutant at every other place and the best mean at the others; or `never`,
// the best mean always. `uncertainty`, what the improvement is expected by: `bayesian`, `ensemble` or `dropout`
// (posterior_ensemble.h). The rest are the ranker's (ranker_options.h).
//
// `paper`: as published. Table 12's options, `explore=random_half`, no mutants, own results change nothing within the
// task.
class HyperFdPolicy : public SelectionPolicy {
 public:
  explicit HyperFdPolicy(PolicyOptions& options);

  std::vector<Configuration> suggest(const TaskView& task, std::size_t count, Rng& rng) const override;
  bool uses_past() const override { return false; }
  std::optional<RankerOptions> ranker_options() const override { return ranker_options_; }

 protected:
  HyperFdPolicy(PolicyOptions& options, const RankerOptions& defaults, const std::string& explore, bool learns_within);

 private:
  enum class Exploration { kImprovement, kRandomHalf, kNever };
  // All feasible points of a space that can be enumerated, read by one version of a ranker.
  struct Table {
    std::vector<Configuration> configurations;
    std::vector<ConfigurationKey> keys;
    PosteriorInput input;  // prior not set
  };
  class Ranking;

  // Whether the task's own results count for its next suggestion.
  bool reads_results(const TaskView& task, const RankingModel* model) const;
  // Whether the suggestion at `place` of the task, from 0, is that of the largest expected improvement.
  bool seeks_improvement(const TaskView& task, const RankingModel* model, std::size_t place) const;
  // Whether it is a random one.
  bool is_random_place(const TaskView& task, const RankingModel* model, std::size_t place) const;
  std::shared_ptr<const Table> table(const TaskView& task, const RankingModel* model) const;

  Exploration exploration_;
  Uncertainty uncertainty_;
  RankerOptions ranker_options_;
  bool learns_within_;
  mutable std::mutex mutex_;
  mutable std::map<std::string, std::shared_ptr<const Table>> tables_;
};

class PaperPolicy : public HyperFdPolicy {
 public:
  explicit PaperPolicy(PolicyOptions& options);
};

}  // namespace hyperfd
