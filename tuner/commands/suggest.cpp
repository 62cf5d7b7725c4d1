#include <iostream>
#include <memory>
#include <numeric>
#include <vector>

#include "tuner/base/error.h"
#include "tuner/commands/ask_tell.h"
#include "tuner/commands/commands.h"

namespace hyperfd::commands {
namespace {

struct Options {
  AskTellOptions common;
  std::int64_t count = 1;
};

void run(const Options& options) {
  std::vector<Suggestion> suggestions;
  ask_or_tell(options.common, [&](Platform& platform) {
    std::vector<std::int64_t> ids(static_cast<std::size_t>(options.count));
    std::iota(ids.begin(), ids.end(), platform.next_parameter_id(options.common.experiment, kCommandLineRun));
    suggestions = platform.suggest(options.common.experiment, kCommandLineRun, ids);
  });
  for (const Suggestion& suggestion : suggestions) std::cout << suggestion.parameters << "\n";
  if (suggestions.empty()) throw InputError("space: every configuration has been suggested already");
}

}  // namespace

void add_suggest(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  options->common.store = ":memory:";
  CLI::App* command = app.add_subcommand("suggest", "Suggest configurations without NNI, one JSON object a line");
  add_ask_tell_options(*command, options->common);
  command->add_option("-n", options->count, "How many")->check(CLI::Range(1, 1000))->capture_default_str();
  command
      ->add_option("--store", options->common.store,
                   "File with experience to learn from, where the suggestions are remembered; :memory: for none")
      ->capture_default_str();
  command->footer(
      "Example:\n"
      "  hyperfd-tuner suggest --space search_spaces/hpo.yaml -n 4 --store my.sqlite --experiment faces\n"
      "  hyperfd-tuner report --space search_spaces/hpo.yaml --store my.sqlite --experiment faces "
      "--params '{…}' --value 0.83");
  command->callback([options] { run(*options); });
}

}  // namespace hyperfd::commands
