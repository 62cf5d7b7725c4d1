#include <cstdio>
#include <memory>

#include "trial/commands/commands.h"
#include "trial/commands/output_check.h"
#include "trial/training/import_weights.h"
#include "trial/training/weights_file.h"
#include "tuner/base/error.h"

namespace hyperfd::commands {
namespace {

struct Options {
  std::string file, out;
  std::vector<std::string> overrides;
  bool half = false;
};

// What half precision has no number for is an error: a network that has such weights is broken anyway.
void halve(Weights& weights, const std::string& file) {
  for (auto& [name, tensor] : weights.tensors) {
    if (!tensor.is_floating_point()) continue;
    if ((tensor.abs() > 65504).any().item<bool>()) {
      throw InputError(file + ": " + name + ": has numbers beyond 65504, too large for --half");
    }
    tensor = tensor.to(torch::kHalf);
  }
}

void import_weights(const Options& options) {
  InputFiles({options.file}).check_kept("--out", options.out);
  Weights weights = identify_weights(load_weights(options.file), options.overrides, options.file);
  if (options.half) halve(weights, options.file);
  save_weights(options.out, weights);
  std::printf("%s: %s, %zu tensors → %s\n", options.file.c_str(),
              weights.description == kBackboneOnly ? "a backbone, to start training from" : "a detector",
              weights.tensors.size(), options.out.c_str());
}

}  // namespace

void add_import_weights(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  CLI::App* command =
      app.add_subcommand("import-weights", "Make weights that PyTorch saved ready for the other commands");
  command->add_option("file", options->file, "Weights: a state dictionary or checkpoint, .pth or .tar")->required();
  command->add_option("--out", options->out, "File to write")->required();
  command->add_option("--set", options->overrides, "key=value over the recipe that is written; may be repeated")
      ->allow_extra_args(false);
  command->add_flag("--half", options->half, "Write half precision: half the size, and AP hardly moves");
  command->footer(
      "Known are Pytorch_Retinaface's mobilenet0.25 (mobilenet0.25_Final.pth), its ImageNet backbone\n"
      "(mobilenetV1X0.25_pretrain.tar; of use to start training from) and weights of hyperfd-trial itself.\n"
      "Detectors are evaluated as their own program does: images at their own size, no face too small\n"
      "(evaluation_side 0, minimum_face 0); --set evaluation_side=720 --set minimum_face=36 is our way.\n"
      "Weights do not say which activation they were trained with: those of Face-Detector-1MB-with-landmark have the\n"
      "same tensors, but plain ReLU and other anchors, so they are accepted and find faces badly.\n"
      "Examples:\n"
      "  hyperfd-trial import-weights mobilenet0.25_Final.pth --out retinaface.pt\n"
      "  hyperfd-trial import-weights mine.pth --set 'anchor_sizes=[10,20,32,64,128,256]' --out mine.pt");
  command->callback([options] { import_weights(*options); });
}

}  // namespace hyperfd::commands
