#pragma once

#include <functional>
#include <optional>
#include <string>

#include <CLI/CLI.hpp>

#include "tuner/platform/platform.h"

namespace hyperfd::commands {

// What `suggest` and `report` have in common.
struct AskTellOptions {
  std::string space;       // file
  std::string annotation;  // file; "": the one beside the space, if there is one
  std::string store;       // file, or ":memory:"
  std::string experiment = "command-line";
  // As the experiment has them where they are not given; a new one: maximize, hyperfd, 0.
  std::optional<OptimizeMode> optimize_mode;
  std::optional<std::string> policy;
  std::optional<std::int64_t> seed;
  // Another mode than the experiment's is an InputError: all its results would count the other way.
  bool keeps_optimize_mode = false;
};

inline constexpr char kCommandLineRun[] = "command-line";

// Adds the options above to a subcommand.
void add_ask_tell_options(CLI::App& command, AskTellOptions& options);

// Begins the experiment and the run, lets the ranker learn what is due, and does `work` in a transaction.
void ask_or_tell(const AskTellOptions& options, const std::function<void(Platform&)>& work);

}  // namespace hyperfd::commands
