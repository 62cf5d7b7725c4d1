#include <cstdio>
#include <memory>

#include "trial/commands/commands.h"
#include "trial/commands/options.h"
#include "trial/data/materialise.h"
#include "tuner/base/log.h"

namespace hyperfd::commands {
namespace {

struct Options {
  std::string data, out;
};

void copy(const Options& options) {
  const FaceDataset dataset = load_dataset(options.data);
  Warnings warnings;
  constexpr std::size_t kOften = 500;
  const std::size_t images = materialise(dataset, options.out, warnings, [&](std::size_t done) {
    if (done % kOften == 0) spdlog::info("{} of {} images", done, dataset.images().size());
  });
  for (const std::string& line : warnings.lines()) spdlog::warn("{}: {}", options.data, line);
  std::printf("%s: %zu images\n", options.out.c_str(), images);
}

}  // namespace

void add_materialise(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  CLI::App* command =
      app.add_subcommand("materialise", "Write the images and annotations of a derived data set, for other programs");
  command->add_option("--data", options->data, "Data set folder, as shift, subsets and fisheye make them")->required();
  command->add_option("--out", options->out, "The data set folder to make; new or empty")->required();
  command->footer("Example:\n  hyperfd-trial materialise --data offline/shifted/07_rotate --out upside_down");
  command->callback([options] { copy(*options); });
}

}  // namespace hyperfd::commands
