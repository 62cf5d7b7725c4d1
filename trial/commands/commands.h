#pragma once

#include <CLI/CLI.hpp>

// The subcommands of hyperfd-trial. Each function adds one to `app`; it runs when the command line is parsed, and
// throws hyperfd::Error when it fails.
namespace hyperfd::commands {

void add_train(CLI::App& app);
void add_evaluate(CLI::App& app);
void add_detect(CLI::App& app);
void add_profile(CLI::App& app);
void add_import(CLI::App& app);
void add_clean(CLI::App& app);
void add_shift(CLI::App& app);
void add_subsets(CLI::App& app);
void add_fisheye(CLI::App& app);
void add_materialise(CLI::App& app);
void add_pretrain(CLI::App& app);
void add_import_weights(CLI::App& app);
void add_export(CLI::App& app);
void add_describe(CLI::App& app);
void add_serve_dataset(CLI::App& app);

}  // namespace hyperfd::commands
