#include <cstdio>
#include <string>

#include "trial/commands/commands.h"
#include "tuner/base/error.h"
#include "tuner/base/log.h"
#include "tuner/base/version.h"

int main(int argc, char** argv) {
  CLI::App app{"HyperFD's trial: trains, scores and runs RetinaFace face detectors, under NNI or alone."};
  app.name("hyperfd-trial");
  app.set_version_flag("--version", std::string("hyperfd-trial ") + hyperfd::kVersion);
  app.require_subcommand(1);
  app.footer("hyperfd-trial COMMAND --help explains a command, with examples.");
  hyperfd::commands::add_train(app);
  hyperfd::commands::add_evaluate(app);
  hyperfd::commands::add_detect(app);
  try {
    hyperfd::set_up_log("info");
    app.parse(argc, argv);
    return 0;
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // --help, --version
    std::fprintf(stderr, "hyperfd-trial: %s\n", error.what());
    return 2;
  } catch (const std::exception& error) {
    // LibTorch's exceptions carry a stack trace below their first line.
    const std::string message = error.what();
    std::fprintf(stderr, "hyperfd-trial: %s\n", message.substr(0, message.find('\n')).c_str());
    return hyperfd::exit_code(error);
  }
}
