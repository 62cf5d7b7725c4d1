#include "trial/describe/describe.h"

#include <mutex>
#include <optional>
#include <utility>

#include <torch/torch.h>

#include "tuner/base/digest.h"
#include "tuner/base/error.h"
#include "tuner/base/parallel.h"
#include "tuner/ranker/single_thread.h"

namespace hyperfd {
namespace {

void set_statistics(const Json& images_extractor, const std::vector<Statistic>& statistics, DatasetFeatures& features) {
  for (const Statistic& statistic : statistics) {
    features.statistic_names.push_back(statistic.name);
    features.statistics.push_back(statistic.value);
  }
  const Json extractor = {{"images", images_extractor}, {"statistics", features.statistic_names}};
  features.extractor = sha256(extractor.dump(-1, ' ', false, Json::error_handler_t::replace));
}

}  // namespace

DatasetFeatures describe_images(const std::string& folder, const std::vector<AnnotatedImage>& images,
                                ImageDescriber& describer, const DescribeOptions& options, Warnings& warnings,
                                const std::function<void(std::size_t)>& progress) {
  std::vector<std::optional<ImageDescription>> described(images.size());
  std::mutex mutex;
  std::size_t done = 0;
  for_each_in_parallel(images.size(), static_cast<unsigned>(options.threads), [&](std::size_t i) {
    const SingleThread single_thread;
    std::string problem;
    try {
      described[i] = describer.describe(folder, images[i]);
    } catch (const InputError& error) {
      problem = error.what();
    }
    const std::lock_guard<std::mutex> lock(mutex);
    if (!problem.empty()) warnings.add("unreadable images left out", problem);
    if (progress) progress(++done);
  });

  std::vector<ImageDescription> readable;
  for (std::optional<ImageDescription>& description : described) {
    if (description) readable.push_back(std::move(*description));
  }
  if (readable.empty())
    throw InputError(folder + ": none of the " + std::to_string(images.size()) + " images can be read");

  DatasetFeatures features;
  features.images = torch::empty({static_cast<std::int64_t>(readable.size()), describer.size()});
  for (std::size_t i = 0; i < readable.size(); ++i) {
    features.images[static_cast<std::int64_t>(i)] = torch::tensor(readable[i].features);
    features.face_counts.push_back(static_cast<std::int64_t>(readable[i].face_sizes.size()));
  }
  std::vector<Statistic> statistics;
  const auto add = [&](const std::vector<Statistic>& more) {
    statistics.insert(statistics.end(), more.begin(), more.end());
  };
  if (options.sizes) add(size_statistics(readable));
  if (options.landmarks) add(landmark_statistics(readable));
  add(options.more);
  set_statistics(describer.identity(), statistics, features);
  features.check(folder);
  return features;
}

DatasetFeatures describe_numbers(const std::vector<Statistic>& statistics) {
  DatasetFeatures features;
  features.images = torch::empty({0, 0});
  set_statistics(nullptr, statistics, features);
  features.check("statistics");
  return features;
}

}  // namespace hyperfd
