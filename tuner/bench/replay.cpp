#include "tuner/bench/replay.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <mutex>
#include <numeric>
#include <thread>
#include <unordered_map>
#include <utility>

#include "tuner/base/digest.h"
#include "tuner/base/error.h"
#include "tuner/base/parallel.h"
#include "tuner/bench/warm_up.h"
#include "tuner/bench/wilcoxon.h"
#include "tuner/platform/configuration_encoding.h"
#include "tuner/platform/selection_policy.h"
#include "tuner/ranker/local_dataset_client.h"
#include "tuner/ranker/single_thread.h"

namespace hyperfd {

// Rankers after their warm-up on the offline tasks of a table, as a bundle has them: made when they are first needed,
// the same for all policies and seeds that start from them. They differ in their seeds; the first one's
// cross-validation says how long all of them take.
class WarmStarts {
 public:
  WarmStarts(std::shared_ptr<const LookupTable> table, const RankerOptions& ranker, int count)
      : table_(std::move(table)), ranker_(ranker), starts_(static_cast<std::size_t>(count)) {}

  // The start of a seed: they take turns.
  RankingModel model(int seed, const RankerOptions& options) {
    std::call_once(validated_, [this] { rounds_ = warm_up_length(*table_, options_of(0)).rounds; });
    const std::size_t number = static_cast<std::size_t>(seed) % starts_.size();
    Start& start = starts_[number];
    std::call_once(start.made, [&] { start.bytes = warm_up(*table_, options_of(number), rounds_).serialize(); });
    return RankingModel::deserialize(start.bytes, options);
  }

  // Of a table that has too little to validate on, an ordinary update makes the first version.
  static bool is_possible(const LookupTable& table) {
    const auto is_offline = [](const TableTask& task) { return task.offline; };
    return std::count_if(table.tasks.begin(), table.tasks.end(), is_offline) >= kMinTasks;
  }

 private:
  static constexpr int kMinTasks = 10;

  struct Start {
    std::once_flag made;
    std::string bytes;
  };

  WarmUpOptions options_of(std::size_t number) const {
    WarmUpOptions options;
    options.ranker = ranker_;
    options.offline_only = true;
    options.seed = number;
    return options;
  }

  std::shared_ptr<const LookupTable> table_;
  RankerOptions ranker_;
  std::once_flag validated_;
  int rounds_ = 0;
  std::vector<Start> starts_;
};

namespace {

std::uint64_t seed_of(int seed, const std::string& purpose) {
  return stable_hash(std::to_string(seed) + "/" + purpose);
}

// One policy on one table.
class Episode {
 public:
  // `warm` may be nullptr.
  Episode(const LookupTable& table, const SelectionPolicy& policy, int seed, WarmStarts* warm)
      : table_(table), policy_(policy), seed_(seed), warm_(warm) {
    for (std::size_t t = 0; t < table_.tasks.size(); ++t) {
      if (!table_.tasks[t].offline) online_.push_back(t);
    }
  }

  // By online task in the table's order.
  std::vector<TaskOutcome> run_one_by_one(int budget) {
    std::vector<TaskOutcome> outcomes(online_.size());
    std::vector<std::size_t> order(online_.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    Rng rng(seed_of(seed_, "order"));
    rng.shuffle(order);
    begin([](const TableTask& task) { return task.offline; });
    for (const std::size_t i : order) {
      const TableTask& task = table_.tasks[online_[i]];
      const std::vector<ScoredConfiguration> results = tune(task, budget);
      outcomes[i] = outcome_of(task, results, budget);
      remember(task, results, TaskRole::kCurrent);
      learn();
      if (model_) experience_.back().role = TaskRole::kPast;
    }
    return outcomes;
  }

  // The same for each of `budgets`: no policy knows how many trials it will have, so the first of many are those of
  // few.
  std::vector<std::vector<TaskOutcome>> run_leaving_one_out(const std::vector<int>& budgets) {
    std::vector<std::vector<TaskOutcome>> outcomes(budgets.size());
    for (const std::size_t t : online_) {
      const TableTask& task = table_.tasks[t];
      begin([&](const TableTask& other) { return &other != &task; });
      const std::vector<ScoredConfiguration> results = tune(task, *std::max_element(budgets.begin(), budgets.end()));
      for (std::size_t b = 0; b < budgets.size(); ++b) outcomes[b].push_back(outcome_of(task, results, budgets[b]));
    }
    return outcomes;
  }

 private:
  // Starts with the whole tables of some tasks, and nothing else.
  void begin(const std::function<bool(const TableTask&)>& is_known) {
    past_.clear();
    known_.clear();
    experience_.clear();
    datasets_.clear();
    if (warm_) {
      model_ = std::make_unique<RankingModel>(warm_->model(seed_, *policy_.ranker_options()));
    } else if (policy_.ranker_options()) {
      model_ = std::make_unique<RankingModel>(encoding_shape(table_.space, table_.annotation),
                                              *policy_.ranker_options(), seed_of(seed_, "model"));
      model_->add_effects(table_.space.encoding_columns());
    }
    for (const TableTask& task : table_.tasks) {
      if (!is_known(task)) continue;
      std::vector<ScoredConfiguration> results;
      for (const TableEntry& entry : task.entries) {
        results.push_back({entry.configuration, task.offline ? entry.held_out() : entry.validation});
      }
      // All of those that a warm start does not know yet are as new to it.
      remember(task, results, warm_ && !task.offline ? TaskRole::kCurrent : TaskRole::kOffline);
    }
    // A warm start knows the offline tasks.
    if (!warm_ || (!experience_.empty() && experience_.back().role != TaskRole::kOffline)) learn();
  }

  std::vector<ScoredConfiguration> tune(const TableTask& task, int budget) const {
    std::vector<Configuration> points;
    std::unordered_map<ConfigurationKey, std::size_t> places;
    for (const TableEntry& entry : task.entries) {
      places.emplace(configuration_key(entry.configuration), points.size());
      points.push_back(entry.configuration);
    }
    const SearchSpace space = table_.space.only(std::move(points));
    const PastExperience past(past_);
    const RankingModel* model = model_ && model_->trained() ? model_.get() : nullptr;
    const std::vector<float> feature = meta_feature(task, model);
    Rng rng(seed_of(seed_, task.name));
    std::vector<ScoredConfiguration> results;
    ConfigurationKeys taken;
    for (int trial = 0; trial < budget; ++trial) {
      const auto next = policy_.suggest({space, results, taken, model, past, task.statistics, table_.annotation,
                                         TaskView::no_configurations(), task.name, feature},
                                        1, rng);
      const ConfigurationKey key = configuration_key(next.at(0));
      const TableEntry& entry = task.entries[places.at(key)];
      results.push_back({entry.configuration, entry.validation});
      taken.insert(key);
    }
    return results;
  }

  // Of the first `budget` results.
  static TaskOutcome outcome_of(const TableTask& task, const std::vector<ScoredConfiguration>& results, int budget) {
    const auto best = std::max_element(results.begin(), results.begin() + budget,
                                       [](const auto& a, const auto& b) { return a.score < b.score; });
    const auto entry = std::find_if(task.entries.begin(), task.entries.end(), [&](const TableEntry& candidate) {
      return candidate.configuration == best->configuration;
    });
    return {place_of(task, static_cast<std::size_t>(entry - task.entries.begin())),
            entry->test - random_search_expectation(task, budget)};
  }

  std::vector<float> meta_feature(const TableTask& task, const RankingModel* model) const {
    if (!model || !task.has_images() || !model->extractor_input()) return {};
    LocalDatasetClient client(*task.features);
    return client.forward(model->extractor_weights(), seed_of(seed_, "meta-feature " + task.name)).feature;
  }

  void remember(const TableTask& task, const std::vector<ScoredConfiguration>& results, TaskRole role) {
    past_.push_back(std::make_shared<const PastTask>(task.name, table_.space, results, task.statistics, task.offline));
    if (!model_) return;
    known_.push_back(&task);
    TaskExperience experience;
    experience.task = task.name;
    for (const ScoredConfiguration& result : past_.back()->results()) {
      experience.encodings.push_back(encode(table_.space, table_.annotation, result.configuration));
      experience.scores.push_back(result.score);
    }
    experience.statistics = task.statistics;
    if (task.has_images()) {
      datasets_.push_back(std::make_unique<LocalDatasetClient>(*task.features));
      experience.dataset = datasets_.back().get();
    }
    experience.role = role;
    experience_.push_back(std::move(experience));
  }

  void learn() {
    if (model_ && !experience_.empty()) {
      add_extractor(*model_, known_, seed_of(seed_, "extractor"));  // standardised by what is known by now
      model_->update(experience_, seed_of(seed_, "update " + std::to_string(experience_.size())));
    }
  }

  const LookupTable& table_;
  const SelectionPolicy& policy_;
  const int seed_;
  WarmStarts* const warm_;
  std::vector<std::size_t> online_;  // in table_.tasks
  PastExperience::Tasks past_;
  std::vector<const TableTask*> known_;  // those of experience_
  std::vector<TaskExperience> experience_;
  std::vector<std::unique_ptr<LocalDatasetClient>> datasets_;
  std::unique_ptr<RankingModel> model_;
};

void check(const LookupTable& table, int budget) {
  int online = 0;
  for (const TableTask& task : table.tasks) {
    online += task.offline ? 0 : 1;
    if (!task.offline && task.entries.size() < static_cast<std::size_t>(budget)) {
      throw InputError("task " + task.name + ": " + std::to_string(task.entries.size()) +
                       " configurations are fewer than the budget of " + std::to_string(budget));
    }
  }
  if (online == 0) throw InputError("tables: expected at least one task that is not offline");
}

Spread spread_of(const std::vector<double>& values) {
  Spread spread;
  const auto n = static_cast<double>(values.size());
  spread.mean = std::accumulate(values.begin(), values.end(), 0.0) / n;
  if (values.size() < 2) return spread;
  for (const double value : values) spread.deviation += (value - spread.mean) * (value - spread.mean) / (n - 1);
  spread.deviation = std::sqrt(spread.deviation);
  return spread;
}

std::vector<double> over_seeds(const PolicyOutcome& outcome, double (*value)(const TaskOutcome&)) {
  std::vector<double> sums;
  for (const std::vector<TaskOutcome>& tasks : outcome.seeds) {
    double sum = 0;
    for (const TaskOutcome& task : tasks) sum += value(task);
    sums.push_back(sum);
  }
  return sums;
}

std::vector<double> of_task(const PolicyOutcome& outcome, std::size_t task, double TaskOutcome::*value) {
  std::vector<double> values;
  for (const std::vector<TaskOutcome>& tasks : outcome.seeds) values.push_back(100 * (tasks[task].*value));
  return values;
}

}  // namespace

std::vector<std::vector<PolicyOutcome>> replay(
    const std::function<std::shared_ptr<const LookupTable>(int seed)>& table_of, const ReplayOptions& options) {
  std::vector<std::unique_ptr<SelectionPolicy>> policies;
  for (const std::string& name : options.policies) policies.push_back(make_policy(name));
  std::vector<std::shared_ptr<const LookupTable>> tables;
  for (int seed = 0; seed < options.seeds; ++seed) {
    tables.push_back(table_of(options.first_seed + seed));
    check(*tables.back(), *std::max_element(options.budgets.begin(), options.budgets.end()));
  }
  std::vector<PolicyOutcome> of_a_budget;
  for (const std::string& name : options.policies) of_a_budget.push_back({name, {}, {}});
  for (PolicyOutcome& outcome : of_a_budget) {
    outcome.seeds.resize(tables.size());
    for (const TableTask& task : tables.at(0)->tasks) {
      if (!task.offline) outcome.tasks.push_back(task.name);
    }
  }
  std::vector<std::vector<PolicyOutcome>> outcomes(options.budgets.size(), of_a_budget);
  // By what a warm-up depends on; rankers of tables that every seed makes anew learn as they go.
  std::map<std::map<std::string, std::string>, std::unique_ptr<WarmStarts>> warm;
  std::vector<WarmStarts*> starts(policies.size());
  const bool is_same = std::all_of(tables.begin(), tables.end(), [&](const auto& table) { return table == tables[0]; });
  if (is_same && WarmStarts::is_possible(*tables[0])) {
    for (std::size_t p = 0; p < policies.size(); ++p) {
      const std::optional<RankerOptions> ranker = policies[p]->ranker_options();
      if (!ranker) continue;
      std::unique_ptr<WarmStarts>& of_ranker = warm[ranker_option_values(warm_up_ranker(*ranker))];
      if (!of_ranker) of_ranker = std::make_unique<WarmStarts>(tables[0], warm_up_ranker(*ranker), options.warm_starts);
      starts[p] = of_ranker.get();
    }
  }
  const unsigned threads = options.threads > 0 ? options.threads : std::max(1u, std::thread::hardware_concurrency());
  const std::size_t total = policies.size() * tables.size();
  std::mutex progress;
  int done = 0;
  for_each_in_parallel(total, threads, [&](std::size_t item) {
    const SingleThread single_thread;  // there is work for every core
    const std::size_t p = item % policies.size(), s = item / policies.size();
    const int seed = options.first_seed + static_cast<int>(s);
    Episode episode(*tables[s], *policies[p], seed, starts[p]);
    std::vector<std::vector<TaskOutcome>> by_budget;
    if (options.protocol == Protocol::kLeaveOneOut) {
      by_budget = episode.run_leaving_one_out(options.budgets);
    } else {
      for (const int budget : options.budgets) by_budget.push_back(episode.run_one_by_one(budget));
    }
    for (std::size_t b = 0; b < by_budget.size(); ++b) outcomes[b][p].seeds[s] = std::move(by_budget[b]);
    const std::lock_guard<std::mutex> lock(progress);
    ++done;
    if (options.on_progress) options.on_progress(done, static_cast<int>(total));
  });
  return outcomes;
}

double place_of(const TableTask& task, std::size_t index) {
  const double own = task.entries[index].validation;
  double better = 0, equal = 0;
  for (const TableEntry& entry : task.entries) {
    better += entry.validation > own ? 1 : 0;
    equal += entry.validation == own ? 1 : 0;
  }
  return (better + (equal + 1) / 2) / static_cast<double>(task.entries.size());
}

double random_search_expectation(const TableTask& task, int budget) {
  std::vector<std::pair<double, double>> entries;  // validation and test, best validation first
  for (const TableEntry& entry : task.entries) entries.emplace_back(entry.validation, entry.test);
  std::sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
  const auto n = static_cast<double>(entries.size()), b = static_cast<double>(budget);
  double expectation = 0, none_before = 1;  // the chance that everything better was not drawn
  for (std::size_t begin = 0, end = 0; begin < entries.size(); begin = end) {
    double tests = 0, none_to_end = none_before;
    while (end < entries.size() && entries[end].first == entries[begin].first) {
      tests += entries[end].second;
      const auto left = n - static_cast<double>(end);
      none_to_end *= std::max(0.0, (left - b) / left);
      ++end;
    }
    expectation += (none_before - none_to_end) * tests / static_cast<double>(end - begin);
    none_before = none_to_end;
  }
  return expectation;
}

std::vector<double> ranks_by_seed(const PolicyOutcome& outcome) {
  std::vector<double> means = over_seeds(outcome, [](const TaskOutcome& task) { return 100 * task.rank; });
  for (std::size_t s = 0; s < means.size(); ++s) means[s] /= static_cast<double>(outcome.seeds[s].size());
  return means;
}

std::vector<double> gains_by_seed(const PolicyOutcome& outcome) {
  return over_seeds(outcome, [](const TaskOutcome& task) { return 100 * task.gain; });
}

Spread rank_of(const PolicyOutcome& outcome) {
  return spread_of(ranks_by_seed(outcome));
}

Spread gain_of(const PolicyOutcome& outcome) {
  return spread_of(gains_by_seed(outcome));
}

Spread rank_of(const PolicyOutcome& outcome, std::size_t task) {
  return spread_of(of_task(outcome, task, &TaskOutcome::rank));
}

Spread gain_of(const PolicyOutcome& outcome, std::size_t task) {
  return spread_of(of_task(outcome, task, &TaskOutcome::gain));
}

double p_value(const PolicyOutcome& a, const PolicyOutcome& b) {
  const std::vector<double> ranks_a = ranks_by_seed(a), ranks_b = ranks_by_seed(b);
  const auto varies = [](const std::vector<double>& ranks) {
    return std::any_of(ranks.begin(), ranks.end(), [&](double rank) { return rank != ranks.front(); });
  };
  if (!varies(ranks_a) && !varies(ranks_b)) return 1;  // one comparison, however often it is repeated
  std::vector<double> differences;
  for (std::size_t s = 0; s < ranks_a.size(); ++s) differences.push_back(ranks_a[s] - ranks_b[s]);
  return wilcoxon_p(differences);
}

}  // namespace hyperfd
