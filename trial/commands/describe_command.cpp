#include <algorithm>
#include <chrono>
#include <cstdio>
#include <map>
#include <memory>
#include <thread>

#include <unistd.h>

#include "trial/commands/commands.h"
#include "trial/commands/options.h"
#include "trial/describe/describe.h"
#include "trial/training/device.h"
#include "trial/training/progress.h"
#include "trial/training/recipe_files.h"
#include "tuner/base/error.h"
#include "tuner/base/files.h"
#include "tuner/base/log.h"

namespace hyperfd::commands {
namespace {

struct Options {
  std::string data, out, weights = "mobilenet_v1_x0.25", split = "train";
  std::vector<std::string> without;
  bool landmarks = false;
  int threads = 0;
};

bool has(const Options& options, const std::string& part) {
  return std::find(options.without.begin(), options.without.end(), part) == options.without.end();
}

void describe(const Options& options) {
  const auto start = std::chrono::steady_clock::now();
  const FaceDataset dataset = load_dataset(options.data);
  set_up_computing(1);
  DescribeOptions describing;
  describing.sizes = has(options, "statistics");
  describing.landmarks = options.landmarks;
  describing.threads =
      options.threads > 0 ? options.threads : static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  const PoolingOptions pooling{has(options, "labels"), has(options, "gwap"), has(options, "pyramid")};
  const auto describer = detector_describer(find_model(options.weights), pooling, options.landmarks);
  const std::vector<AnnotatedImage> images = options.split == "all" ? dataset.images() : dataset.split(Split::kTrain);

  Warnings warnings;
  CountProgress progress("images", images.size());
  const DatasetFeatures features = describe_images(dataset.folder(), images, *describer, describing, warnings,
                                                   [&](std::size_t done) { progress.show(done); });
  progress.finish();
  for (const std::string& line : warnings.lines()) spdlog::warn("{}: {}", options.data, line);
  const std::string bytes = features.serialize();
  write_file_atomically(options.out, bytes);
  std::printf("%s: %lld images of %lld numbers, %zu statistics, %zu bytes, extractor %s, %.1f s\n", options.out.c_str(),
              static_cast<long long>(features.images.size(0)), static_cast<long long>(features.images.size(1)),
              features.statistics.size(), bytes.size(), features.extractor.substr(0, 12).c_str(),
              std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
}

}  // namespace

void add_describe(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand(
      "describe", "Describe a data set by numbers, from which the tuner knows which other data sets it resembles");
  command->add_option("--data", options->data, "Data set folder")->required();
  command->add_option("--out", options->out, "File of the features")->required();
  command->add_option("--weights", options->weights, "Detector that describes images, a name or a file")
      ->capture_default_str();
  command->add_option("--split", options->split, "train, or all")
      ->check(CLI::IsMember({"train", "all"}))
      ->capture_default_str();
  command
      ->add_option("--without", options->without,
                   "Parts left out, to measure what they are worth: labels, gwap, pyramid, statistics")
      ->delimiter(',')
      ->check(CLI::IsMember({"labels", "gwap", "pyramid", "statistics"}));
  command->add_flag("--landmarks", options->landmarks,
                    "More statistics: AP and losses of the untuned detector, faces by size, images by faces");
  command->add_option("--threads", options->threads, "Images described at the same time (default: one a core)")
      ->check(CLI::Range(1, 1024));
  command->footer(
      "Only data sets described by the same weights, options and program version can be compared; the file says which\n"
      "(its extractor). Details: docs/meta_features.md.\n"
      "Example:\n  hyperfd-trial describe --data my_faces --out my_faces.features");
  command->callback([options] { describe(*options); });
}

}  // namespace hyperfd::commands
