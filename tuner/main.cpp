#include <string>

#include "tuner/base/blas_kernels.h"
#include "tuner/base/command_line.h"
#include "tuner/base/version.h"
#include "tuner/commands/commands.h"

int main(int argc, char** argv) {
  hyperfd::use_fitting_blas_kernels(argv);
  CLI::App app{
      "HyperFD's tuner: suggests configurations, remembers every result, and learns from one experiment for the next."};
  app.name("hyperfd-tuner");
  app.set_version_flag("--version", std::string("hyperfd-tuner ") + hyperfd::kVersion);
  app.require_subcommand(1);
  app.footer("hyperfd-tuner COMMAND --help explains a command, with examples.");
  hyperfd::commands::add_serve(app);
  hyperfd::commands::add_keygen(app);
  hyperfd::commands::add_import(app);
  hyperfd::commands::add_export(app);
  hyperfd::commands::add_inspect(app);
  hyperfd::commands::add_suggest(app);
  hyperfd::commands::add_report(app);
  hyperfd::commands::add_space(app);
  hyperfd::commands::add_bench(app);
  hyperfd::commands::add_collect(app);
  hyperfd::commands::add_warmup(app);
  return hyperfd::run_command_line(app, argc, argv);
}
