#include <cstdio>
#include <filesystem>
#include <memory>

#include <boost/process.hpp>

#include "trial/commands/commands.h"
#include "trial/commands/options.h"
#include "trial/commands/output_check.h"
#include "trial/data/derived_dataset.h"
#include "trial/data/subsets.h"
#include "trial/training/device.h"
#include "trial/training/image_features.h"
#include "trial/training/recipe_files.h"
#include "tuner/base/error.h"
#include "tuner/base/files.h"
#include "tuner/base/log.h"

namespace fs = std::filesystem;
namespace bp = boost::process;

namespace hyperfd::commands {
namespace {

struct Options {
  std::string data, out, weights = "mobilenet_v1_x0.25", classifier, device = "auto", python = "python3";
  std::vector<int> clusters = {2, 3, 5, 7};
  SubsetOptions subsets;
  int threads = 1;
};

std::string request_file(const Options& options) {
  return options.out + "/features.json";
}

// What scripts/cluster_features.py makes of the features.
std::vector<Clustering> cluster(const std::vector<FeatureSource>& sources, const Options& options) {
  const std::string request = request_file(options), answer = options.out + "/clusterings.json";
  Json described = {{"seed", options.subsets.seed}, {"clusters", options.clusters}, {"sources", Json::array()}};
  for (const FeatureSource& source : sources)
    described["sources"].push_back({{"name", source.name}, {"features", source.features}});
  write_file_atomically(request, described.dump());
  const auto python = options.python.find('/') == std::string::npos ? bp::search_path(options.python)
                                                                    : boost::filesystem::path(options.python);
  bp::environment environment = boost::this_process::environment();
  for (const char* name : {"OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"})
    environment[name] = std::to_string(options.threads);
  std::error_code error;
  const int exit_code = bp::system(python, find_script("cluster_features.py"), request, answer, environment, error);
  if (error || exit_code != 0)
    throw InputError("--python: expected an interpreter with scikit-learn, " + options.python +
                     (error ? ": " + error.message() : " ended with " + std::to_string(exit_code)));
  std::vector<Clustering> clusterings;
  for (const Json& clustering : parse_json(read_file(answer), answer))
    clusterings.push_back({clustering.at("name"), clustering.at("labels")});
  fs::remove(request);
  fs::remove(answer);
  return clusterings;
}

void subsets(const Options& options) {
  const FaceDataset dataset = load_dataset(options.data);
  check_output(request_file(options));
  set_up_computing(options.threads);
  constexpr std::size_t kOften = 500;
  const std::vector<FeatureSource> sources =
      image_features(dataset, options.weights.empty() ? "" : find_model(options.weights), options.classifier,
                     choose_device(options.device), [&](std::size_t done) {
                       if (done % kOften == 0)
                         spdlog::info("features of {} of {} images", done, dataset.images().size());
                     });
  SubsetCounts counts;
  const std::vector<Clustering> clusterings = cluster(sources, options);
  const std::vector<Subset> chosen = choose_subsets(dataset.images(), clusterings, options.subsets, counts);
  for (const Subset& subset : chosen) {
    DerivedDescription description;
    description.source = options.data;
    for (const std::size_t i : subset.images) description.images.push_back(dataset.images()[i].file);
    write_derived(options.out + "/" + subset.name, description);
  }
  std::printf(
      "%zu sources of features, %zu clusterings, %zu groups: %zu of fewer than %zu images or of almost all, %zu with "
      "another split, %zu like an earlier one\n%s: %zu data sets\n",
      sources.size(), clusterings.size(), counts.groups, counts.wrong_size,
      smallest_subset(dataset.images().size(), options.subsets), counts.unbalanced, counts.duplicates,
      options.out.c_str(), chosen.size());
}

}  // namespace

void add_subsets(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  CLI::App* command =
      app.add_subcommand("subsets", "Make data sets that are parts of a given one, by clustering its images");
  command->add_option("--data", options->data, "Data set folder")->required();
  command->add_option("--out", options->out, "Folder of the new data sets, each a folder with derived.json")
      ->required();
  command
      ->add_option("--weights", options->weights, "Detector whose stages give features, a name or a file; \"\": none")
      ->capture_default_str();
  command->add_option("--classifier", options->classifier,
                      "Weights of a classifier's backbone that give features, too, as import-weights writes them");
  command->add_option("--clusters", options->clusters, "Numbers of clusters")
      ->delimiter(',')
      ->check(CLI::Range(2, 1000))
      ->capture_default_str();
  command
      ->add_option("--min-images", options->subsets.minimum,
                   "Smallest data set, and how many images the largest leaves out (default: 800 / 32203 of the "
                   "images as in the paper, at least 100)")
      ->check(whole_number());
  command
      ->add_option("--max-images", options->subsets.most_images,
                   "Larger data sets are a random sample of so many images (default: whole)")
      ->check(whole_number());
  command
      ->add_option("-n,--tasks", options->subsets.most_subsets, "A random choice of so many data sets (default: all)")
      ->check(whole_number());
  command
      ->add_option("--split-tolerance", options->subsets.split_tolerance,
                   "How far the share of a split may be from the source's, relative to it")
      ->check(real_number(0, 1))
      ->capture_default_str();
  command
      ->add_option("--overlap", options->subsets.duplicate_overlap,
                   "A data set that shares so much with an earlier one is dropped (intersection over union)")
      ->check(real_number(0, 1))
      ->capture_default_str();
  command->add_option("--python", options->python, "Interpreter with scikit-learn, which clusters")
      ->capture_default_str();
  command->add_option("--seed", options->subsets.seed, "Of clusterings and choices")
      ->check(whole_number())
      ->capture_default_str();
  add_computing_options(*command, options->device, options->threads);
  command->footer(
      "Features: the detector's stages, a classifier's, statistics of labels, colours and gradients. Each is clustered "
      "by\n"
      "K-Means (two initialisations), PCA + K-Means, t-SNE + K-Means, DBSCAN (two metrics), agglomeration (two\n"
      "metrics) and Birch. Details: docs/offline_data.md.\n"
      "Example:\n  hyperfd-trial subsets --data wider --out offline/subsets --python .venv/bin/python");
  command->callback([options] { subsets(*options); });
}

}  // namespace hyperfd::commands
