#include <cstdio>
#include <memory>

#include "trial/commands/commands.h"
#include "trial/commands/output_check.h"
#include "trial/export/detector_graph.h"
#include "trial/training/trained_detector.h"
#include "tuner/base/error.h"
#include "tuner/base/files.h"
#include "tuner/base/version.h"

namespace hyperfd::commands {
namespace {

struct Options {
  std::string weights, out, size = "640x640";
};

constexpr int kLargestSide = 8192;

// "640x480" to width and height; "dynamic" to 0, 0.
std::pair<int, int> parse_size(const std::string& text) {
  if (text == "dynamic") return {0, 0};
  int width = 0, height = 0, end = 0;
  const bool parsed = std::sscanf(text.c_str(), "%5dx%5d%n", &width, &height, &end) == 2;
  if (!parsed || static_cast<std::size_t>(end) != text.size() || width < 1 || height < 1 || width > kLargestSide ||
      height > kLargestSide) {
    throw InputError("--size: expected WIDTHxHEIGHT of 1 to 8192 pixels, or dynamic, got \"" + text + "\"");
  }
  return {width, height};
}

void export_weights(const Options& options) {
  const auto [width, height] = parse_size(options.size);
  TrainedDetector trained = load_trained_detector(options.weights);
  InputFiles({options.weights}).check_kept("--out", options.out);
  check_output(options.out);
  const std::string bytes =
      export_detector(*trained.network, width, height, {{"recipe", to_yaml(trained.recipe)}, {"version", kVersion}});
  write_file_atomically(options.out, bytes);
  std::printf("%s → %s (%zu bytes, images of %s)\n", options.weights.c_str(), options.out.c_str(), bytes.size(),
              width == 0 ? "any size" : options.size.c_str());
}

}  // namespace

void add_export(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("export", "Write a detector as an ONNX file for other programs");
  command
      ->add_option("--weights", options->weights,
                   "best.pt of a training run, imported weights, or the name of weights that come with the program")
      ->required();
  command->add_option("--out", options->out, "File to write")->required();
  command->add_option("--size", options->size, "WIDTHxHEIGHT of the images in pixels, or dynamic")
      ->capture_default_str();
  command->footer(
      "Input   image      [1, 3, height, width] float, 0 to 255, channels blue, green, red\n"
      "Outputs scores     [1, anchors] 0 to 1\n"
      "        boxes      [1, anchors, 4] left, top, right, bottom in pixels of the image\n"
      "        landmarks  [1, anchors, 10] x, y of eyes, nose and corners of the mouth in pixels\n"
      "Non-maximum suppression is up to the program that reads the file. With --size dynamic, batch and size are "
      "free;\n"
      "onnxruntime runs that, OpenCV needs a fixed size. docs/onnx.md has an example.\n"
      "Example:\n  hyperfd-trial export --weights runs/a/best.pt --out detector.onnx --size 640x480");
  command->callback([options] { export_weights(*options); });
}

}  // namespace hyperfd::commands
