#include <algorithm>
#include <cstdio>

#include "tuner/base/error.h"
#include "tuner/base/names.h"
#include "tuner/base/version.h"
#include "tuner/commands/commands.h"

namespace {

std::vector<std::string> option_names(const CLI::App& command) {
  std::vector<std::string> names;
  for (const CLI::Option* option : command.get_options()) {
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  }
  return names;
}

// CLI11's message, or a better one for a name that it does not know.
std::string explain(const CLI::App& app, const CLI::ParseError& error, int argc, char** argv) {
  std::vector<std::string> commands;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    commands.push_back(command->get_name());
  }
  const std::string first = argc > 1 ? argv[1] : "";
  if (!first.empty() && first.front() != '-' && std::find(commands.begin(), commands.end(), first) == commands.end()) {
    return hyperfd::unknown_name_message("command", first, commands);
  }
  for (const CLI::App* command : app.get_subcommands()) {
    for (const std::string& rest : command->remaining()) {
      if (rest.compare(0, 2, "--") == 0) return hyperfd::unknown_name_message("option", rest, option_names(*command));
    }
  }
  return error.what();
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{
      "HyperFD's tuner: suggests configurations, remembers every result, and learns from one experiment for the next."};
  app.name("hyperfd-tuner");
  app.set_version_flag("--version", std::string("hyperfd-tuner ") + hyperfd::kVersion);
  app.require_subcommand(1);
  app.footer("hyperfd-tuner COMMAND --help explains a command, with examples.");
  hyperfd::commands::add_serve(app);
  hyperfd::commands::add_keygen(app);
  hyperfd::commands::add_inspect(app);
  hyperfd::commands::add_suggest(app);
  hyperfd::commands::add_report(app);
  hyperfd::commands::add_space(app);
  try {
    app.parse(argc, argv);
    return 0;
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // --help, --version
    std::fprintf(stderr, "hyperfd-tuner: %s\n", explain(app, error, argc, argv).c_str());
    return 2;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "hyperfd-tuner: %s\n", error.what());
    return hyperfd::exit_code(error);
  }
}
