#include "tuner/base/command_line.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <iostream>
#include <new>

#include "tuner/base/error.h"
#include "tuner/base/names.h"

namespace hyperfd {
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
    return unknown_name_message("command", first, commands);
  }
  if (first.empty()) {
    std::string list;
    for (const std::string& command : commands) list += (list.empty() ? "" : ", ") + command;
    return "expected a command: " + list + "; --help explains";
  }
  for (const CLI::App* command : app.get_subcommands()) {
    for (const std::string& rest : command->remaining()) {
      if (rest.compare(0, 2, "--") == 0) return unknown_name_message("option", rest, option_names(*command));
    }
  }
  return error.what();
}

}  // namespace

int run_command_line(CLI::App& app, int argc, char** argv) {
  const auto complain = [&](const std::string& message) {
    // LibTorch's exceptions carry a stack trace below their first line.
    std::fprintf(stderr, "%s: %s\n", app.get_name().c_str(), message.substr(0, message.find('\n')).c_str());
  };
  try {
    app.parse(argc, argv);
    if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0 && std::cout.flush()) return 0;
    complain("standard output: cannot be written: " + std::string(std::strerror(errno)));
    return 1;
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // --help, --version
    complain(explain(app, error, argc, argv));
    return 2;
  } catch (const std::filesystem::filesystem_error& error) {
    complain(error.path1().string() + ": " + error.code().message());
    return 2;
  } catch (const std::bad_alloc&) {
    complain("not enough memory");
    return 1;
  } catch (const std::exception& error) {
    complain(error.what());
    return exit_code(error);
  }
}

}  // namespace hyperfd
