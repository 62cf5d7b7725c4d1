#pragma once

#include <CLI/CLI.hpp>

namespace hyperfd {

// What both programs' main() do with their subcommands: parse the command line, which runs the chosen one, and turn
// what goes wrong into one line on stderr and an exit code (tuner/base/error.h; 2 for a wrong command line). Names that
// are almost right are suggested.
int run_command_line(CLI::App& app, int argc, char** argv);

}  // namespace hyperfd
