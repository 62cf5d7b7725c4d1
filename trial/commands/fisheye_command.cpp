#include <cstdio>
#include <memory>

#include "trial/commands/commands.h"
#include "trial/commands/options.h"
#include "trial/data/derived_dataset.h"

namespace hyperfd::commands {
namespace {

struct Options {
  std::string data, out;
  double view = 140, off_centre = 0.3;
  std::uint64_t seed = 1;
};

void fisheye(const Options& options) {
  DerivedDescription description;
  load_dataset(options.data);
  description.source = options.data;
  description.shift = {{{"kind", "fisheye"}, {"view", options.view}, {"off_centre", options.off_centre}}};
  description.seed = options.seed;
  write_derived(options.out, description);
  std::printf("%s: %zu images\n", options.out.c_str(), load_dataset(options.out).images().size());
}

}  // namespace

void add_fisheye(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("fisheye", "A data set as a fisheye lens would see it");
  command->add_option("--data", options->data, "Data set folder")->required();
  command->add_option("--out", options->out, "The new data set's folder: images are warped as they are read")
      ->required();
  command->add_option("--view", options->view, "Degrees of the lens that an image's longer side fills")
      ->check(real_number(60, 170))
      ->capture_default_str();
  command
      ->add_option("--off-centre", options->off_centre,
                   "How far off the image's middle the lens may point, as a share of its size")
      ->check(real_number(0, 0.5))
      ->capture_default_str();
  command->add_option("--seed", options->seed, "Of where the lens points, image by image")
      ->check(whole_number())
      ->capture_default_str();
  command->footer(
      "Boxes enclose the warped faces, landmarks are warped.\n"
      "Example:\n"
      "  hyperfd-trial fisheye --data wider --out wider_360\n"
      "  hyperfd-trial materialise --data wider_360 --out wider_360_copy     only for other programs");
  command->callback([options] { fisheye(*options); });
}

}  // namespace hyperfd::commands
