#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tuner/bench/lookup_table.h"

namespace hyperfd {

enum class Protocol {
  kOneByOne,     // online tasks come one after the other; what is known of earlier ones is what their tuning tried
  kLeaveOneOut,  // every other task is known with its whole table
};

struct ReplayOptions {
  std::vector<std::string> policies;  // as make_policy() takes them
  std::vector<int> budgets = {4};     // trials for each task; each is a replay of its own
  int seeds = 20;
  int first_seed = 0;
  // Rankers' warm-ups by policy, of which the seeds take one after the other: what is due to a ranker's random weights
  // shows in the spread as what is due to the order of tasks does.
  int warm_starts = 1;
  Protocol protocol = Protocol::kOneByOne;
  unsigned threads = 0;                                  // 0: as many as the machine has cores
  std::function<void(int done, int total)> on_progress;  // called under a lock; may be empty
};

// What one policy made of one online task.
struct TaskOutcome {
  double rank = 0;  // of the chosen configuration: the place of its validation AP among all of the task's, in (0, 1]
  double gain = 0;  // its test AP less what random search expects
};

struct PolicyOutcome {
  std::string policy;
  std::vector<std::string> tasks;  // online ones of the first seed's table, in its order
  // [seed][online task in the table's order]
  std::vector<std::vector<TaskOutcome>> seeds;
};

// Plays the paper's protocol (§4.1) on tables: offline tasks are known from the beginning, online tasks arrive one
// after another, in an order drawn for every seed; each gets `budget` trials, one by one, and is past experience for
// those after it; or leaves one out. Its chosen configuration is the one with the best validation AP. A policy that
// ranks with a model has it updated after every task, as the server does; it starts from warm_up() on the offline tasks
// where there are ten of them. All policies see the same orders and the same random numbers, and the result does not
// depend on the number of threads.
//
// `table_of` gives the table of a seed; it is called once for every seed. Throws InputError for unknown policies and
// for tables without an online task of as many entries as the largest budget. By budget, in
// the order of options.budgets, and policy.
std::vector<std::vector<PolicyOutcome>> replay(
    const std::function<std::shared_ptr<const LookupTable>(int seed)>& table_of, const ReplayOptions& options);

// The place of entry `index` by validation AP, from 1/n for the best to 1; equal ones share the mean of their places.
double place_of(const TableTask& task, std::size_t index);

// The expected test AP of what is best on validation among `budget` different entries drawn at random.
double random_search_expectation(const TableTask& task, int budget);

struct Spread {
  double mean = 0, deviation = 0;  // the sample's standard deviation, 0 for one value
};

// One number a seed: the mean over tasks, in percent.
std::vector<double> ranks_by_seed(const PolicyOutcome& outcome);
// ΔAP, the sum over tasks. In points of AP, of which a perfect detector has 100.
std::vector<double> gains_by_seed(const PolicyOutcome& outcome);
// Over seeds, of the mean over tasks. In percent.
Spread rank_of(const PolicyOutcome& outcome);
Spread gain_of(const PolicyOutcome& outcome);
// The same two of one task, the index of PolicyOutcome::tasks.
Spread rank_of(const PolicyOutcome& outcome, std::size_t task);
Spread gain_of(const PolicyOutcome& outcome, std::size_t task);
// Wilcoxon's signed-rank test on the ranks of the same seeds.
double p_value(const PolicyOutcome& a, const PolicyOutcome& b);

}  // namespace hyperfd
