#include <chrono>
#include <cstdio>
#include <map>
#include <memory>

#include "trial/commands/commands.h"
#include "trial/commands/options.h"
#include "trial/data/coco_files.h"
#include "trial/evaluation/average_precision.h"
#include "trial/evaluation/scores.h"
#include "trial/training/device.h"
#include "trial/training/evaluator.h"
#include "trial/training/trained_detector.h"
#include "tuner/base/error.h"
#include "tuner/base/log.h"

namespace hyperfd::commands {
namespace {

struct Options {
  std::string data, weights, split = "test", device = "auto", precision, detections, annotations;
  double minimum_face = 0;
  int threads = 1;
  bool json = false;
};

void warn(const std::string& source, const Warnings& warnings) {
  for (const std::string& line : warnings.lines()) spdlog::warn("{}: {}", source, line);
}

void print(const Scores& scores, const char* extra_key, const Json& extra, bool json) {
  if (json) {
    Json result = to_json(scores);
    result[extra_key] = extra;
    std::printf("%s\n", result.dump().c_str());
    return;
  }
  std::printf("%zu detections on %zu images with %zu faces to find\n", scores.detections, scores.images, scores.faces);
  std::printf("  AP@50 (area)        %.4f\n", scores.ap50_area);
  std::printf("  COCO AP@[.5:.95]    %.4f   AP50 %.4f   AP75 %.4f\n", scores.coco.ap, scores.coco.ap50,
              scores.coco.ap75);
  std::printf("  WIDER AP            %.4f   precision %.4f and recall %.4f of all detections\n", scores.wider_ap,
              scores.wider_precision, scores.wider_recall);
}

void evaluate_weights(const Options& options) {
  static const std::map<std::string, Split> splits = {
      {"train", Split::kTrain}, {"val", Split::kValidation}, {"test", Split::kTest}};
  set_up_computing(options.threads);
  const torch::Device device = choose_device(options.device);
  TrainedDetector trained = load_trained_detector(options.weights);
  trained.network->to(device);
  if (!options.precision.empty()) trained.recipe.precision = options.precision;
  Warnings warnings;
  const FaceDataset data = FaceDataset::load(options.data, warnings);
  Evaluator evaluator(data.folder(), data.split(splits.at(options.split)), trained.recipe);
  const Evaluation evaluation = *evaluator.run(trained.network, device);
  warn(options.data, warnings);
  warn(options.data, evaluator.warnings());
  // As the evaluator itself scores: sizes are single precision there.
  const auto minimum_face = static_cast<float>(trained.recipe.minimum_face);
  const Scores scores = score_detections(image_boxes(evaluation.detections, evaluation.faces), minimum_face);
  print(scores, "images_per_second", evaluation.images_per_second, options.json);
}

void evaluate_files(const Options& options) {
  using Clock = std::chrono::steady_clock;
  const auto seconds = [](Clock::duration time) { return std::chrono::duration<double>(time).count(); };
  const auto start = Clock::now();
  Warnings annotation_warnings, detection_warnings;
  CocoTruths truths = read_coco_truths(options.annotations, annotation_warnings);
  read_coco_detections(options.detections, truths, detection_warnings);
  warn(options.annotations, annotation_warnings);
  warn(options.detections, detection_warnings);
  const auto read = Clock::now();
  const Scores scores = score_detections(truths.images, options.minimum_face);
  const Json times = {{"read", seconds(read - start)}, {"evaluate", seconds(Clock::now() - read)}};
  print(scores, "seconds", times, options.json);
}

void evaluate(const Options& options) {
  if (!options.detections.empty()) {
    if (options.annotations.empty()) throw InputError("--annotations is required with --detections");
    evaluate_files(options);
    return;
  }
  if (options.data.empty()) throw InputError("--data is required, or else --detections");
  if (options.weights.empty()) throw InputError("--weights is required with --data");
  evaluate_weights(options);
}

}  // namespace

void add_evaluate(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand(
      "evaluate", "Score a trained detector on one split of a data set, or the detections of any program in a file");
  auto* data = command->add_option("--data", options->data, "Data set folder");
  auto* weights = command->add_option("--weights", options->weights,
                                      "best.pt of a training run, or the name of weights that come with the program");
  auto* split = command->add_option("--split", options->split, "train, val or test")
                    ->check(CLI::IsMember({"train", "val", "test"}))
                    ->capture_default_str();
  auto* detections =
      command->add_option("--detections", options->detections, "COCO results file: a list of {image_id, bbox, score}")
          ->excludes(data)
          ->excludes(weights)
          ->excludes(split);
  auto* annotations =
      command->add_option("--annotations", options->annotations, "COCO annotations of the images in --detections")
          ->needs(detections);
  command
      ->add_option("--minimum-face", options->minimum_face,
                   "With --detections: faces whose shorter side is under this many pixels are ignored")
      ->check(real_number(0, 1e6))
      ->needs(annotations)
      ->capture_default_str();
  add_computing_options(*command, options->device, options->threads);
  add_precision_option(*command, options->precision);
  command->add_flag("--json", options->json, "Print JSON");
  command->footer(
      "With --weights, images are resized so that their shorter side is the recipe's evaluation_side, and its "
      "minimum_face is measured at that size.\n"
      "ap50_area  AP at IoU 0.5, area under the curve, as MMDetection's `area` mode; iscrowd, small faces and small\n"
      "           detections that match nothing are ignored (the last is our rule)\n"
      "coco       AP over IoU 0.50 … 0.95, AP50 and AP75, as pycocotools; iscrowd alone is ignored\n"
      "wider      AP, precision and recall as WIDER FACE's official evaluation; iscrowd and small faces ignored\n"
      "Examples:\n"
      "  hyperfd-trial evaluate --data my_faces --weights runs/a/best.pt\n"
      "  hyperfd-trial evaluate --detections found.json --annotations my_faces/annotations.json --json");
  command->callback([options] { evaluate(*options); });
}

}  // namespace hyperfd::commands
