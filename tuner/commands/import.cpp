#include <algorithm>
#include <filesystem>
#include <iostream>
#include <memory>

#include "tuner/base/error.h"
#include "tuner/base/files.h"
#include "tuner/commands/ask_tell.h"
#include "tuner/commands/commands.h"
#include "tuner/platform/foreign_results.h"
#include "tuner/platform/sqlite_merge.h"
#include "tuner/platform/sqlite_store.h"

namespace hyperfd::commands {
namespace {

struct Options {
  AskTellOptions common;
  ForeignSource source;
};

void import_bundle(const Options& options) {
  check_bundle(options.source.file);  // before there is a new store
  const MergedExperience merged = open_store(options.common.store)->merge(options.source.file);
  constexpr std::size_t kMostNamed = 10;
  const std::vector<std::string>& skipped = merged.of_other_spaces;
  for (std::size_t i = 0; i < std::min(skipped.size(), kMostNamed); ++i) {
    std::cerr << "skipped " << skipped[i] << ": here it is of another search space"
              << (is_offline(skipped[i]) ? "; make the bundle with warmup --group" : "") << "\n";
  }
  if (skipped.size() > kMostNamed) std::cerr << "and " << skipped.size() - kMostNamed << " more\n";
  std::cout << merged.experiments << " experiments with " << merged.results << " results added";
  if (merged.replaced > 0) std::cout << ", " << merged.replaced << " of them in the place of older ones";
  std::cout << (merged.rankers > 0 ? ", and their ranker" : "") << "\n";
}

void run(Options options) {
  if (is_store(options.source.file)) return import_bundle(options);
  if (options.common.space.empty()) throw InputError("--space is required for results that are no bundle");
  const ForeignResults found = read_foreign_results(options.source, SearchSpace::load(options.common.space));
  for (const std::string& reason : found.skipped) std::cerr << "skipped " << reason << "\n";
  if (found.rows.empty()) throw InputError(options.source.file + ": no result that can be imported");
  if (options.common.experiment.empty()) {
    options.common.experiment = std::filesystem::path(options.source.file).stem().string();
  }
  if (!options.common.optimize_mode) options.common.optimize_mode = found.optimize_mode;
  Effect effect;
  ask_or_tell(options.common, [&](Platform& platform) {
    std::vector<ImportedResult> results;
    for (const ForeignResults::Row& row : found.rows) {
      results.push_back({row.configuration.dump(), Json(row.metric).dump()});
    }
    effect = platform.import_results(options.common.experiment, kCommandLineRun, results, RepeatedResults::kAllCount);
  });
  std::cout << effect.counted << " results recorded as experiment " << options.common.experiment << ", "
            << found.rows.size() - static_cast<std::size_t>(effect.counted) << " known already, "
            << found.skipped.size() << " skipped\n";
}

}  // namespace

void add_import(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  options->common.experiment = "";
  options->common.keeps_optimize_mode = true;
  options->common.store = user_data_directory() + "/experience.sqlite";
  CLI::App* command = app.add_subcommand("import", "Learn from experiments that other programs have made");
  command
      ->add_option(
          "file", options->source.file,
          "A bundle or other store of hyperfd-tuner; or what `nnictl experiment export` wrote (JSON or CSV), an "
          "Optuna storage (SQLite or journal), or any CSV with a column for each parameter and one for the result")
      ->required();
  add_ask_tell_options(*command, options->common);
  command->get_option("--space")->required(false);
  command->get_option("--experiment")->description("Name of the experiment; default: the file's, without extension");
  command->add_option("--store", options->common.store, "File with the experience")->capture_default_str();
  command->add_option("--metric", options->source.metric,
                      "CSV: column of the result; default: default (of a dictionary that NNI was told), reward, value, "
                      "metric or score");
  command->add_option("--study", options->source.study, "Optuna: name of the study; needed where there are several");
  command->footer(
      "Configurations that are no point of the space, and trials without a result, are named and skipped. Different "
      "results of one configuration, as of several seeds, all count. Importing a file again adds nothing.\n"
      "A bundle needs no --space. It adds the experiments that the store has none of the same name of, and its ranker "
      "where the store has none for that space. An offline task that was made later than the store's own takes its "
      "place, with its ranker; experiments whose names the store has for tasks on another space are named and "
      "skipped.\n"
      "Examples:\n"
      "  nnictl experiment export ID --type json --filename old.json\n"
      "  hyperfd-tuner import old.json --space search_space.yaml\n"
      "  hyperfd-tuner import runs.csv --space search_space.yaml --metric val_loss --minimize\n"
      "  hyperfd-tuner import team.sqlite");
  command->callback([options] { run(*options); });
}

}  // namespace hyperfd::commands
