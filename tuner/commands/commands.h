#pragma once

#include <CLI/CLI.hpp>

namespace hyperfd::commands {

// Each adds one subcommand of hyperfd-tuner, which runs while `app` parses the command line and throws hyperfd::Error.
void add_serve(CLI::App& app);
void add_keygen(CLI::App& app);
void add_import(CLI::App& app);
void add_export(CLI::App& app);
void add_inspect(CLI::App& app);
void add_suggest(CLI::App& app);
void add_report(CLI::App& app);
void add_space(CLI::App& app);
void add_bench(CLI::App& app);
void add_collect(CLI::App& app);
void add_warmup(CLI::App& app);

}  // namespace hyperfd::commands
