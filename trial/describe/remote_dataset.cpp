#include "trial/describe/remote_dataset.h"

#include <cstdio>
#include <utility>

#include "tuner/base/error.h"
#include "tuner/base/json.h"
#include "tuner/ranker/local_dataset_client.h"
#include "tuner/ranker/ranker_options.h"

namespace hyperfd {
namespace {

std::string rounded(double number) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.3g", number);
  return text;
}

}  // namespace

RemoteDataset::RemoteDataset(const DatasetFeatures& features, const Disclosure& disclosure,
                             const std::string& ledger_file)
    : disclosure_(disclosure) {
  about_.extractor = features.extractor;
  about_.images = features.images.size(0);
  about_.image_features = features.images.size(1);
  if (about_.images < disclosure.least_images) {
    throw InputError("images: " + std::to_string(about_.images) + ", and data sets of fewer than " +
                     std::to_string(disclosure.least_images) + " are not shared (--least-images)");
  }
  for (std::size_t i = 0; i < features.statistics.size(); ++i) {
    wire::Statistic statistic{features.statistic_names[i], std::nullopt};
    if (!disclosure.is_private) statistic.value = features.statistics[i];
    about_.statistics.push_back(std::move(statistic));
  }
  if (!disclosure.is_private) {
    client_ = std::make_unique<LocalDatasetClient>(features);
    return;
  }
  about_.updates = disclosure.gradients;
  privacy_ = {noise_multiplier_for(disclosure.epsilon, disclosure.delta, disclosure.releases), disclosure.group_images,
              disclosure.gradients};
  ledger_ = std::make_unique<PrivacyLedger>(ledger_file, disclosure.epsilon, disclosure.delta);
  if (!ledger_->has_room(privacy_.noise_multiplier, 1)) {
    throw InputError(ledger_file + ": epsilon " + rounded(ledger_->spent()) + " of " + rounded(disclosure.epsilon) +
                     " is spent, no answer is left");
  }
  client_ = std::make_unique<PrivateDataset>(features.images, static_cast<std::int64_t>(features.statistics.size()),
                                             privacy_, *ledger_);
}

std::string RemoteDataset::report() const {
  const std::int64_t units = RankerOptions().hidden_units;
  std::string text = "What leaves this machine:\n  before all else: the extractor's hash " + about_.extractor + "; " +
                     std::to_string(about_.images) + " images of " + std::to_string(about_.image_features) +
                     " numbers; statistics";
  for (const wire::Statistic& statistic : about_.statistics) {
    text += " " + statistic.name + (statistic.value ? "=" + rounded(*statistic.value) : " (withheld)");
  }
  text += "\n  answers: ";
  if (ledger_) {
    const auto& dataset = static_cast<const PrivateDataset&>(*client_);
    text += std::to_string(disclosure_.releases) + " at most, meta-features" +
            (disclosure_.gradients ? " and gradients" : "") + ", each a mean over " + std::to_string(dataset.groups()) +
            " groups of " + std::to_string(disclosure_.group_images) + " images with noise of " +
            rounded(privacy_.noise_multiplier) + " times its sensitivity (a deviation of " +
            rounded(dataset.noise_deviation(units)) + " on each of " + std::to_string(units) +
            " numbers of length 1)\n  privacy: epsilon " + rounded(ledger_->spent()) + " spent before, " +
            rounded(disclosure_.epsilon) + " at most in all, delta " + rounded(disclosure_.delta) +
            ", when one image is replaced by any other\n";
  } else {
    Rng rng(0);
    const auto statistics = static_cast<std::int64_t>(about_.statistics.size());
    const std::size_t weights = MetaFeatureExtractor(about_.image_features, statistics, units, rng).flat().size();
    text += "2 meta-features of " + std::to_string(units) +
            " numbers, each a mean over at most half of the images, and " + std::to_string(weights) +
            " numbers, the gradient of the extractor's weights, as often as updates ask\n";
  }
  text += "  from the experiment: the search space, configurations and metrics of trials\nWhat stays: images, labels, "
          "file names, and the " +
          std::to_string(about_.image_features) + " numbers of each of the images\n";
  if (const std::int64_t least = Disclosure().least_images; about_.images < least) {
    text += "Fewer than " + std::to_string(least) + " images: all of this needs --least-images.\n";
  }
  return text;
}

}  // namespace hyperfd
