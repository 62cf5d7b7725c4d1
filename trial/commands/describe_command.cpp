#include <algorithm>
#include <chrono>
#include <cstdio>
#include <memory>
#include <thread>

#include "trial/commands/commands.h"
#include "trial/commands/options.h"
#include "trial/commands/output_check.h"
#include "trial/describe/describe.h"
#include "trial/describe/feature_cache.h"
#include "trial/describe/remote_dataset.h"
#include "trial/describe/table_statistics.h"
#include "trial/training/device.h"
#include "trial/training/progress.h"
#include "trial/training/recipe_files.h"
#include "tuner/base/error.h"
#include "tuner/base/files.h"
#include "tuner/base/json.h"
#include "tuner/base/log.h"

namespace hyperfd::commands {
namespace {

struct Options {
  std::string data, out, weights = "mobilenet_v1_x0.25", classifier, split = "train", table, target;
  std::vector<std::string> without, numbers;
  bool no_cache = false, dry_run = false;
  int threads = 0;
  std::int64_t images = 0;  // kept; 0: all

  bool with(const std::string& part) const { return std::find(without.begin(), without.end(), part) == without.end(); }
  // A classifier finds no faces.
  bool with_landmarks() const { return with("statistics") && with("landmarks") && classifier.empty(); }
};

std::vector<Statistic> given_statistics(const Options& options) {
  std::vector<Statistic> statistics;
  if (!options.table.empty()) statistics = table_statistics(options.table, options.target);
  for (const std::string& given : options.numbers) {
    const std::size_t equals = given.find('=');
    const std::string text = equals == std::string::npos ? "" : given.substr(equals + 1);
    char* end = nullptr;
    const double value = std::strtod(text.c_str(), &end);
    if (equals == 0 || text.empty() || *end != '\0')
      throw InputError("--numbers: expected name=number, got \"" + given + "\"");
    statistics.push_back({given.substr(0, equals), value});
  }
  return statistics;
}

std::unique_ptr<ImageDescriber> make_describer(const Options& options) {
  if (!options.classifier.empty()) return classifier_describer(options.classifier);
  const PoolingOptions pooling{options.with("labels"), options.with("gwap"), options.with("pyramid")};
  return detector_describer(find_model(options.weights), pooling, options.with_landmarks());
}

DatasetFeatures describe_data(const Options& options) {
  const FaceDataset dataset = load_dataset(options.data);
  const std::vector<AnnotatedImage> images = options.split == "all" ? dataset.images() : dataset.split(Split::kTrain);
  set_up_computing(1);
  std::unique_ptr<ImageDescriber> describer = make_describer(options);
  if (!options.no_cache) {
    const std::string file = feature_cache_file(dataset.folder(), describer->identity());
    describer = cached_describer(std::move(describer), file);
  }
  DescribeOptions describing;
  describing.sizes = options.with("statistics");
  describing.landmarks = options.with_landmarks();
  describing.more = given_statistics(options);
  describing.threads =
      options.threads > 0 ? options.threads : static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  Warnings warnings;
  CountProgress progress("images", images.size());
  DatasetFeatures features = describe_images(dataset.folder(), images, *describer, describing, warnings,
                                             [&](std::size_t done) { progress.show(done); });
  progress.finish();
  for (const std::string& line : warnings.lines()) spdlog::warn("{}: {}", options.data, line);
  if (options.images > 0) features.keep_images(options.images);
  return features;
}

// What an experiment that shares would send of these features.
std::string disclosure(const DatasetFeatures& features) {
  if (features.images.size(0) > 0) {
    Disclosure share;
    share.least_images = 1;
    return RemoteDataset(features, share, "").report();
  }
  std::string text = "A task without images. What leaves this machine, as meta_features of the experiment:\n";
  for (std::size_t i = 0; i < features.statistics.size(); ++i)
    text += "  " + features.statistic_names[i] + "=" + Json(features.statistics[i]).dump() + "\n";
  return text;
}

void describe(const Options& options) {
  const auto start = std::chrono::steady_clock::now();
  if (options.out.empty() && !options.dry_run) throw InputError("--out is required, or else --dry-run");
  if (options.data.empty() && options.table.empty() && options.numbers.empty())
    throw InputError("--data is required, or else --table or --numbers");
  if (!options.dry_run) check_output(options.out);
  const DatasetFeatures features =
      options.data.empty() ? describe_numbers(given_statistics(options)) : describe_data(options);
  if (options.dry_run) {
    std::fputs(disclosure(features).c_str(), stdout);
    return;
  }
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
  auto* data = command->add_option("--data", options->data, "Data set folder");
  command->add_option("--out", options->out, "File of the features");
  auto* weights = command->add_option("--weights", options->weights, "Detector that describes images, a name or a file")
                      ->capture_default_str();
  command
      ->add_option(
          "--classifier", options->classifier,
          "A classifier describes images instead: a TorchScript file, or a backbone as import-weights writes it")
      ->excludes(weights)
      ->needs(data);
  command->add_option("--split", options->split, "train, or all")
      ->check(CLI::IsMember({"train", "all"}))
      ->capture_default_str();
  command
      ->add_option("--without", options->without,
                   "Parts left out, to measure what they are worth: labels, gwap, pyramid, statistics; or of the "
                   "statistics the landmarks: AP and losses of the untuned detector, faces by size, images by faces")
      ->delimiter(',')
      ->check(CLI::IsMember({"labels", "gwap", "pyramid", "statistics", "landmarks"}));
  auto* table = command->add_option("--table", options->table, "CSV file whose statistics describe a task");
  command->add_option("--target", options->target, "The table's column that is predicted")->needs(table);
  command->add_option("--numbers", options->numbers, "name=number,…: statistics of your own")->delimiter(',');
  command->add_flag("--no-cache", options->no_cache, "Neither use nor keep features of single images");
  command->add_flag("--dry-run", options->dry_run,
                    "Write nothing; say what an experiment with privacy share would send");
  command
      ->add_option(
          "--images", options->images,
          "Keep the features of at most so many images, evenly chosen (default: all); the rest is described, too")
      ->check(CLI::Range(1, 1'000'000'000));
  command->add_option("--threads", options->threads, "Images described at the same time (default: one a core)")
      ->check(CLI::Range(1, 1024));
  command->footer(
      "Only data sets described by the same weights, options and program version can be compared; the file says which\n"
      "(its extractor). Features of single images are kept in DATA/.hyperfd, or in ~/.cache/hyperfd when nobody may\n"
      "write there; images that are new or changed are described anew. Details: docs/meta_features.md.\n"
      "Examples:\n"
      "  hyperfd-trial describe --data my_faces --out my_faces.features\n"
      "  hyperfd-trial describe --data my_faces --dry-run\n"
      "  hyperfd-trial describe --table houses.csv --target price --out houses.features");
  command->callback([options] { describe(*options); });
}

}  // namespace hyperfd::commands
