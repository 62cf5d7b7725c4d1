#include <algorithm>
#include <cstdio>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <unistd.h>

#include "tuner/base/error.h"
#include "tuner/bench/replay.h"
#include "tuner/commands/commands.h"
#include "tuner/platform/selection_policy.h"

namespace hyperfd::commands {
namespace {

struct Options {
  TableSource source;
  std::string simulated;
  ReplayOptions replay;
  std::vector<std::string> rivals = {"random", "best_on_source"};  // of the test of significance
  std::size_t shown = 0;  // so many of replay.policies; the rest are rivals that were not asked for
  bool json = false;
};

std::function<std::shared_ptr<const LookupTable>(int)> tables_of(const Options& options) {
  if (!options.source.tables.empty()) {
    if (options.source.space.empty()) throw InputError("--space: needed with --table");
    const auto table = std::make_shared<const LookupTable>(load_tables(options.source));
    return [table](int) { return table; };
  }
  const SimulatedTableOptions simulated = parse_simulated(options.simulated);
  const std::string space = options.source.space;
  return [=](int seed) {  // a family of its own
    const auto family = static_cast<std::uint64_t>(seed);
    return std::make_shared<const LookupTable>(simulate_table(space, simulated, family));
  };
}

const PolicyOutcome* find(const std::vector<PolicyOutcome>& outcomes, const std::string& policy) {
  for (const PolicyOutcome& outcome : outcomes) {
    if (outcome.policy == policy) return &outcome;
  }
  return nullptr;
}

std::optional<double> p_versus(const std::vector<PolicyOutcome>& outcomes, const PolicyOutcome& outcome,
                               const std::string& rival) {
  const PolicyOutcome* other = find(outcomes, rival);
  if (!other || other == &outcome) return std::nullopt;
  return p_value(outcome, *other);
}

Json as_json(const std::vector<PolicyOutcome>& outcomes, const std::string& space, int budget, const Options& options) {
  Json report = {{"space", space},
                 {"budget", budget},
                 {"seeds", options.replay.seeds},
                 {"first_seed", options.replay.first_seed},
                 {"tasks", outcomes.at(0).seeds.at(0).size()},
                 {"policies", Json::object()}};
  const auto number = [](std::optional<double> value) { return value ? Json(*value) : Json(); };
  for (std::size_t p = 0; p < options.shown; ++p) {
    const PolicyOutcome& outcome = outcomes[p];
    const Spread rank = rank_of(outcome), gain = gain_of(outcome);
    Json tasks = Json::object();
    for (std::size_t t = 0; t < outcome.tasks.size(); ++t) {
      const Spread place = rank_of(outcome, t), points = gain_of(outcome, t);
      tasks[outcome.tasks[t]] = {{"rank_mean", place.mean},
                                 {"rank_std", place.deviation},
                                 {"delta_ap_mean", points.mean},
                                 {"delta_ap_std", points.deviation}};
    }
    report["policies"][outcome.policy] = {{"rank_mean", rank.mean},
                                          {"rank_std", rank.deviation},
                                          {"delta_ap_mean", gain.mean},
                                          {"delta_ap_std", gain.deviation},
                                          {"ranks", ranks_by_seed(outcome)},
                                          {"delta_aps", gains_by_seed(outcome)},
                                          {"tasks", tasks}};
    for (const std::string& rival : options.rivals) {
      report["policies"][outcome.policy]["p_vs_" + rival] = number(p_versus(outcomes, outcome, rival));
    }
  }
  return report;
}

void print_table(const std::vector<PolicyOutcome>& outcomes, const std::string& space, int budget,
                 const Options& options) {
  std::cout << fmt::format("{}: {} online tasks, budget {}, {} seeds\n\n", space, outcomes.at(0).seeds.at(0).size(),
                           budget, options.replay.seeds);
  std::size_t width = 6;
  for (std::size_t p = 0; p < options.shown; ++p) width = std::max(width, outcomes[p].policy.size());
  std::cout << fmt::format("{:<{}}  {:>15}  {:>15}", "policy", width, "rank %", "ΔAP");
  for (const std::string& rival : options.rivals) std::cout << fmt::format("  {:>10}", "p " + rival);
  std::cout << "\n";
  for (std::size_t p = 0; p < options.shown; ++p) {
    const PolicyOutcome& outcome = outcomes[p];
    const Spread rank = rank_of(outcome), gain = gain_of(outcome);
    std::cout << fmt::format("{:<{}}  {:>7.2f} ± {:>5.2f}  {:>7.2f} ± {:>5.2f}", outcome.policy, width, rank.mean,
                             rank.deviation, gain.mean, gain.deviation);
    for (const std::string& rival : options.rivals) {
      const std::optional<double> chance = p_versus(outcomes, outcome, rival);
      std::cout << fmt::format("  {:>{}}", chance ? fmt::format("{:.2g}", *chance) : "-",
                               std::max<std::size_t>(10, rival.size() + 2));
    }
    std::cout << "\n";
  }
}

void print_legend() {
  std::cout
      << "\nrank %: place of the best on validation among all configurations of a task, lower is better; the mean "
         "over tasks.\n"
         "ΔAP: its test AP less what random search expects, in points, summed over tasks.\n"
         "±: standard deviation over seeds. p: Wilcoxon's signed-rank test on the seeds' ranks, against one of the "
         "policies.\n";
}

void run(Options options) {
  const auto table_of = tables_of(options);
  std::vector<std::string>& policies = options.replay.policies;
  if (policies.empty()) policies = policy_names();
  options.shown = policies.size();
  for (const std::string& rival : options.rivals) {
    if (std::find(policies.begin(), policies.end(), rival) == policies.end()) policies.push_back(rival);
  }
  const bool is_terminal = isatty(STDERR_FILENO) != 0;
  if (is_terminal) {
    options.replay.on_progress = [](int done, int total) {
      std::fprintf(stderr, "\r%d of %d", done, total);
      if (done == total) std::fputs("\r\033[K", stderr);
    };
  }
  std::string space;
  const auto outcomes = replay(
      [&](int seed) {
        auto table = table_of(seed);
        space = table->space_name;
        return table;
      },
      options.replay);
  Json reports = Json::array();
  for (std::size_t b = 0; b < outcomes.size(); ++b) {
    const int budget = options.replay.budgets[b];
    if (options.json) {
      reports.push_back(as_json(outcomes[b], space, budget, options));
    } else {
      if (b > 0) std::cout << "\n";
      print_table(outcomes[b], space, budget, options);
    }
  }
  if (!options.json) {
    print_legend();
  } else {
    std::cout << (reports.size() == 1 ? reports[0] : reports).dump(2) << "\n";
  }
}

std::string join(const std::vector<std::string>& names) {
  std::string joined;
  for (const std::string& name : names) joined += (joined.empty() ? "" : ", ") + name;
  return joined;
}

void add_replay(CLI::App& bench) {
  const auto options = std::make_shared<Options>();
  CLI::App* command =
      bench.add_subcommand("replay", "Let policies tune the tasks of a lookup table, without training anything");
  CLI::Option* table = command->add_option(
      "--table", options->source.tables,
      "What hyperfd-tuner collect wrote: folders, or files with a line {\"task\", \"configuration\", \"seed\", "
      "\"validation\", \"test\"} for each trial");
  command
      ->add_option("--simulated", options->simulated,
                   "Made-up tasks instead (the default), a new family for every seed: similarity=0.8, tasks=12, "
                   "offline=1, factors=1, noise=0.2, statistics_noise=0.1, configurations=200 (of each task, in a "
                   "large space)")
      ->excludes(table);
  command->add_option("--space", options->source.space, "NNI search space, .json or .yaml; needed with --table");
  command->add_option("--offline", options->source.offline, "Tasks of the table that are known from the beginning")
      ->needs(table)
      ->delimiter(',');
  command->add_option("--statistics", options->source.statistics, "JSON object with a list of numbers for each task")
      ->needs(table);
  command
      ->add_option("--features", options->source.features,
                   "Folder with what hyperfd-trial describe says of each task's data set, TASK.features")
      ->needs(table);
  command->add_flag_callback(
      "--leave-one-out", [options] { options->replay.protocol = Protocol::kLeaveOneOut; },
      "Each task with all others known in full, instead of one task after the other");
  command
      ->add_option("--policies", options->replay.policies,
                   "Which, as name or name:option=value:…; all of them if not given: " + join(policy_names()))
      ->delimiter(',');
  command
      ->add_option("--budget", options->replay.budgets,
                   "Trials for each task; several numbers: a report, in JSON a list, for each")
      ->delimiter(',')
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  command->add_option("--seeds", options->replay.seeds, "Repetitions, each with another order of the tasks")
      ->check(CLI::Range(1, 10000))
      ->capture_default_str();
  command
      ->add_option("--warm-starts", options->replay.warm_starts,
                   "Rankers that learn from the offline tasks, with seeds of their own; the repetitions take turns")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  command->add_option("--first-seed", options->replay.first_seed, "Of the repetitions")
      ->check(CLI::Range(0, 1'000'000'000))
      ->capture_default_str();
  command
      ->add_option("--versus", options->rivals,
                   "Policies that the others are tested against, also those that are not among --policies")
      ->delimiter(',')
      ->capture_default_str();
  command->add_option("--threads", options->replay.threads, "0: one for every core")
      ->check(CLI::Range(0, 256))
      ->capture_default_str();
  command->add_flag("--json", options->json, "Print JSON instead of a table");
  command->footer(
      "Examples:\n"
      "  hyperfd-tuner bench replay --simulated similarity=0.8,factors=2 --policies random,average_rank,hyperfd\n"
      "  hyperfd-tuner bench replay --simulated similarity=0.5 --space search_spaces/proxylessnas.yaml\n"
      "  hyperfd-tuner bench replay --table runs/table --space search_spaces/hpo.yaml --offline wider_source "
      "--budget 4 --seeds 20 --json");
  command->callback([options] { run(*options); });
}

struct TableOptions {
  std::string simulated;
  std::string space;
  std::int64_t seed = 0;
};

void print_simulated(const TableOptions& options) {
  std::cout << to_json_lines(
      simulate_table(options.space, parse_simulated(options.simulated), static_cast<std::uint64_t>(options.seed)));
}

void add_table(CLI::App& bench) {
  const auto options = std::make_shared<TableOptions>();
  CLI::App* command =
      bench.add_subcommand("table", "Print the table of one family of made-up tasks, for other programs");
  command->add_option("--simulated", options->simulated, "As of bench replay");
  command->add_option("--space", options->space, "NNI search space, .json or .yaml");
  command->add_option("--seed", options->seed, "Of the family")
      ->check(CLI::Range(0LL, 9'000'000'000'000'000'000LL))
      ->capture_default_str();
  command->footer(
      "Example:\n"
      "  hyperfd-tuner bench table --simulated similarity=0.8 --space search_spaces/hpo.yaml > simulated.jsonl");
  command->callback([options] { print_simulated(*options); });
}

}  // namespace

void add_bench(CLI::App& app) {
  CLI::App* bench = app.add_subcommand("bench", "Compare policies");
  bench->require_subcommand(1);
  bench->footer(
      "Example:\n  hyperfd-tuner bench replay --simulated similarity=0.8 --policies random,average_rank,hyperfd");
  add_replay(*bench);
  add_table(*bench);
}

}  // namespace hyperfd::commands
