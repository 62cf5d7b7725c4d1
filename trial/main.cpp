#include <cstdlib>
#include <string>

#include <opencv2/core/utils/logger.hpp>

#include "trial/commands/commands.h"
#include "tuner/base/command_line.h"
#include "tuner/base/log.h"
#include "tuner/base/version.h"

int main(int argc, char** argv) {
  // What these libraries would print of a file, our messages say with its name. Whoever sets the variables hears them.
  if (!std::getenv("OPENCV_LOG_LEVEL")) cv::utils::logging::setLogLevel(cv::utils::logging::LOG_LEVEL_SILENT);
  setenv("OPENCV_FFMPEG_LOGLEVEL", "-8", /*overwrite=*/0);
  CLI::App app{"HyperFD's trial: trains, scores and runs RetinaFace face detectors, under NNI or alone."};
  app.name("hyperfd-trial");
  app.set_version_flag("--version", std::string("hyperfd-trial ") + hyperfd::kVersion);
  app.add_option_function<std::string>("--log-level", hyperfd::set_up_log,
                                       "error, warn, info or debug, which says e.g. how each layer of initial weights "
                                       "was mapped to another architecture; before COMMAND")
      ->default_str("info");
  app.require_subcommand(1);
  app.footer("hyperfd-trial COMMAND --help explains a command, with examples.");
  hyperfd::commands::add_train(app);
  hyperfd::commands::add_evaluate(app);
  hyperfd::commands::add_detect(app);
  hyperfd::commands::add_profile(app);
  hyperfd::commands::add_import(app);
  hyperfd::commands::add_clean(app);
  hyperfd::commands::add_shift(app);
  hyperfd::commands::add_subsets(app);
  hyperfd::commands::add_fisheye(app);
  hyperfd::commands::add_materialise(app);
  hyperfd::commands::add_pretrain(app);
  hyperfd::commands::add_import_weights(app);
  hyperfd::commands::add_export(app);
  hyperfd::commands::add_describe(app);
  hyperfd::commands::add_serve_dataset(app);
  hyperfd::set_up_log("info");
  return hyperfd::run_command_line(app, argc, argv);
}
