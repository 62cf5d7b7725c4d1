#include <iostream>
#include <memory>

#include "tuner/base/files.h"
#include "tuner/commands/commands.h"
#include "tuner/platform/sqlite_store.h"

namespace hyperfd::commands {
namespace {

struct Options {
  std::string store = user_data_directory() + "/experience.sqlite";
  std::string out;
};

void run(const Options& options) {
  open_store(options.store, StoreAccess::kReadOnly)->export_to(options.out);
  std::cout << "all experience of " << options.store << " in " << options.out << "\n";
}

}  // namespace

void add_export(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("export", "Copy a store, also one in use, into one file: a bundle");
  command->add_option("--store", options->store, "File with the experience; may be in use by a server")
      ->capture_default_str();
  command->add_option("--out", options->out, "The bundle, a new file")->required();
  command->footer(
      "It holds search spaces, configurations, metrics, meta-features and rankers of all experiments (docs/store.md). "
      "`hyperfd-tuner import` and `serve --bundle` add it to another store.\n"
      "Example:\n"
      "  hyperfd-tuner export --out team.sqlite");
  command->callback([options] { run(*options); });
}

}  // namespace hyperfd::commands
