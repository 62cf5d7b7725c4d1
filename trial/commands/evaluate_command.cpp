#include <cstdio>
#include <map>
#include <memory>

#include "trial/commands/commands.h"
#include "trial/training/device.h"
#include "trial/training/evaluator.h"
#include "trial/training/trained_detector.h"
#include "tuner/base/log.h"

namespace hyperfd::commands {
namespace {

struct Options {
  std::string data, weights, split = "test", device = "auto";
  int threads = 1;
  bool json = false;
};

void evaluate(const Options& options) {
  static const std::map<std::string, Split> splits = {
      {"train", Split::kTrain}, {"val", Split::kValidation}, {"test", Split::kTest}};
  set_up_computing(options.threads);
  const torch::Device device = choose_device(options.device);
  TrainedDetector trained = load_trained_detector(options.weights);
  trained.network->to(device);
  Warnings warnings;
  const FaceDataset data = FaceDataset::load(options.data, warnings);
  Evaluator evaluator(data.folder(), data.split(splits.at(options.split)), trained.recipe);
  const Evaluation evaluation = *evaluator.run(trained.network, device);
  for (const Warnings& kind : {warnings, evaluator.warnings()}) {
    for (const std::string& line : kind.lines()) spdlog::warn(options.data + ": " + line);
  }
  if (options.json) {
    const Json result = {{"ap50_area", evaluation.average_precision},
                         {"images", evaluation.detections.size()},
                         {"images_per_second", evaluation.images_per_second}};
    std::printf("%s\n", result.dump().c_str());
  } else {
    std::printf("AP@50 %.4f on %zu images of the %s split (%.1f images/s)\n", evaluation.average_precision,
                evaluation.detections.size(), options.split.c_str(), evaluation.images_per_second);
  }
}

}  // namespace

void add_evaluate(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("evaluate", "Score a trained detector on one split of a data set");
  command->add_option("--data", options->data, "Data set folder")->required();
  command->add_option("--weights", options->weights, "best.pt of a training run")->required();
  command->add_option("--split", options->split, "train, val or test")
      ->check(CLI::IsMember({"train", "val", "test"}))
      ->capture_default_str();
  command->add_option("--device", options->device, "auto, cpu or cuda")->capture_default_str();
  command->add_option("--threads", options->threads, "Threads that compute")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
  command->add_flag("--json", options->json, "Print JSON");
  command->footer(
      "Images are resized, and small faces ignored, as in the recipe that the weights were trained by.\n"
      "Example:\n  hyperfd-trial evaluate --data my_faces --weights runs/a/best.pt");
  command->callback([options] { evaluate(*options); });
}

}  // namespace hyperfd::commands
