#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "tuner/bench/lookup_table.h"
#include "tuner/ranker/ranking_model.h"

namespace hyperfd {

struct WarmUpOptions {
  RankerOptions ranker;
  bool offline_only = false;  // learns from the table's offline tasks alone
  int rounds = 30;            // at most
  int iterations = 100;       // of a round
  int patience = 6;           // rounds without a better validation NDCG
  int folds = 5;              // parts of the tasks, each validates a ranker that learns from the others
  std::string apart;          // regular expression: two parts instead, the tasks whose names match and the rest
  std::uint64_t seed = 0;
  std::function<void(int round, double ndcg)> on_round;  // round 0 is before training; may be empty
  std::function<void(int round, int rounds)> on_final_round;
};

struct WarmUpLength {
  int rounds = 0;   // the best in cross-validation
  double ndcg = 0;  // of rankings of tasks that are not learned from, the mean over all of them, after so many rounds
};

// For how long to train, by cross-validation. This and warm_up() throw InputError for a table of fewer than two tasks.
WarmUpLength warm_up_length(const LookupTable& table, const WarmUpOptions& options);

// Trains a ranker on all tasks of a table before it meets a client: G on the tasks' images where the table has their
// features, H, and what φ is made of. Training is at least one round.
RankingModel warm_up(const LookupTable& table, const WarmUpOptions& options, int rounds);

// `ranker` as far as a warm-up and its length depend on it; the rest is as by default. Rankers for which this is the
// same (ranker_option_values()) have the same warm-ups. All learn effects, whether or not they are used afterwards.
RankerOptions warm_up_ranker(const RankerOptions& ranker);

// A task of a table as a ranker learns from it. `dataset` may be nullptr.
TaskExperience experience_of(const TableTask& task, const LookupTable& table, DatasetClient* dataset);

// Gives `model` an extractor, standardised by some images of each of these tasks that have features; does nothing when
// none has.
void add_extractor(RankingModel& model, const std::vector<const TableTask*>& tasks, std::uint64_t seed);

// Normalised discounted cumulative gain of the order that `scores` give, gain 2^relevance − 1, discount 1/log2(1 +
// place); 1 where nothing can be gained.
double ndcg(const std::vector<float>& scores, const std::vector<float>& relevance);

}  // namespace hyperfd
