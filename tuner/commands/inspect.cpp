#include <iostream>
#include <memory>

#include <fmt/format.h>

#include "tuner/base/files.h"
#include "tuner/base/json.h"
#include "tuner/commands/commands.h"
#include "tuner/platform/sqlite_store.h"

namespace hyperfd::commands {
namespace {

struct Options {
  std::string store = user_data_directory() + "/experience.sqlite";
  bool json = false;
};

Json as_json(const std::vector<ExperimentSummary>& experiments, const std::vector<RankerSummary>& rankers) {
  Json report = {{"experiments", Json::array()}, {"rankers", Json::array()}};
  for (const ExperimentSummary& row : experiments) {
    report["experiments"].push_back(
        {{"task", row.id},
         {"experiment", row.name},
         {"space", row.signature},
         {"optimize_mode", to_word(row.optimize_mode)},
         {"budget", row.budget},
         {"policy", row.policy},
         {"runs", row.runs},
         {"configurations", row.configurations},
         {"results", row.results},
         {"failed", row.failed},
         {"best", row.best ? Json(*row.best) : Json()},
         {"best_parameters", row.best ? parse_json(row.best_parameters, "best_parameters") : Json()}});
  }
  for (const RankerSummary& row : rankers) {
    report["rankers"].push_back(
        {{"space", row.signature}, {"version", row.version}, {"results", row.results}, {"created", row.created}});
  }
  return report;
}

void print_table(const std::vector<ExperimentSummary>& experiments, const std::vector<RankerSummary>& rankers) {
  if (experiments.empty()) {
    std::cout << "no experiments yet\n";
    return;
  }
  std::cout << fmt::format("{:>5}  {:<20}  {:<10}  {:<9}  {:<12}  {:>4}  {:>7}  {:>7}  {:>6}  {:>10}  {}\n", "task",
                           "experiment", "space", "mode", "policy", "runs", "configs", "results", "failed", "best",
                           "best configuration");
  std::int64_t offline = 0, offline_results = 0;
  for (const ExperimentSummary& row : experiments) {
    if (row.name.rfind(kOfflinePrefix, 0) == 0) {
      ++offline;
      offline_results += row.results;
      continue;
    }
    std::cout << fmt::format("{:>5}  {:<20}  {:<10}  {:<9}  {:<12}  {:>4}  {:>7}  {:>7}  {:>6}  {:>10}  {}\n", row.id,
                             row.name, row.signature.substr(0, 10), to_word(row.optimize_mode), row.policy, row.runs,
                             row.configurations, row.results, row.failed,
                             row.best ? fmt::format("{:.5g}", *row.best) : "-", row.best ? row.best_parameters : "");
  }
  if (offline > 0) std::cout << fmt::format("and {} offline tasks with {} results\n", offline, offline_results);
  if (rankers.empty()) return;
  std::cout << fmt::format("\n{:<10}  {:>7}  {:>7}  {}\n", "space", "version", "results", "ranker made");
  for (const RankerSummary& row : rankers) {
    std::cout << fmt::format("{:<10}  {:>7}  {:>7}  {}\n", row.signature.substr(0, 10), row.version, row.results,
                             row.created);
  }
}

void run(const Options& options) {
  const std::unique_ptr<ExperienceStore> store = open_store(options.store, StoreAccess::kReadOnly);
  const auto experiments = store->experiments();
  const auto rankers = store->rankers();
  if (options.json) {
    std::cout << as_json(experiments, rankers).dump(2) << "\n";
  } else {
    print_table(experiments, rankers);
  }
}

}  // namespace

void add_inspect(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  CLI::App* command =
      app.add_subcommand("inspect", "Show experiments, their best results and the ranker versions of a store");
  command->add_option("--store", options->store, "File with the experience; may be in use by a server")
      ->capture_default_str();
  command->add_flag("--json", options->json, "Print JSON instead of a table");
  command->footer("Example:\n  hyperfd-tuner inspect --store team.sqlite --json");
  command->callback([options] { run(*options); });
}

}  // namespace hyperfd::commands
