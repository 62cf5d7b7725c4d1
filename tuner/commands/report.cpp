#include <iostream>
#include <memory>

#include "tuner/base/error.h"
#include "tuner/commands/ask_tell.h"
#include "tuner/commands/commands.h"

namespace hyperfd::commands {
namespace {

struct Options {
  AskTellOptions common;
  std::string parameters;
  std::string value;
};

void run(const Options& options) {
  Effect effect;
  ask_or_tell(options.common, [&](Platform& platform) {
    const Configuration configuration = parse_json(options.parameters, "params");
    if (!configuration.is_object()) throw InputError("params: expected an object, got " + brief(configuration));
    platform.check_point(options.common.experiment, configuration);
    effect =
        platform.import_results(options.common.experiment, kCommandLineRun, {{configuration.dump(), options.value}});
    if (!effect.warning.empty()) throw InputError(effect.warning);
  });
  std::cout << (effect.counted ? "recorded\n" : "known already, the first result of a configuration counts\n");
}

}  // namespace

void add_report(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("report", "Record the result of a configuration without NNI");
  add_ask_tell_options(*command, options->common);
  command->add_option("--store", options->common.store, "File with the experience")->required();
  command->add_option("--params", options->parameters, "The configuration, as JSON")->required();
  command->add_option("--value", options->value, "Its result, a number")->required();
  command->footer(
      "Example:\n"
      "  hyperfd-tuner report --space space.json --store my.sqlite --experiment faces --params '{\"lr\": 0.01}' "
      "--value 0.83");
  command->callback([options] { run(*options); });
}

}  // namespace hyperfd::commands
