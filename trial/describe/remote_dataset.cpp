#include "trial/describe/remote_dataset.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <utility>
#include <vector>

#include <torch/torch.h>

#include "tuner/base/digest.h"
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
    if (!disclosure.is_private || statistic.name == kLogImages) statistic.value = features.statistics[i];
    about_.statistics.push_back(std::move(statistic));
  }
  if (disclosure.is_private) {
    make_private(features, ledger_file);
  } else {
    client_ = std::make_unique<LocalDatasetClient>(features);
  }
}

void RemoteDataset::make_private(const DatasetFeatures& features, const std::string& ledger_file) {
  about_.updates = disclosure_.gradients;
  const std::vector<std::string>& names = features.statistic_names;
  if (!features.face_counts.empty() && std::find(names.begin(), names.end(), kLogBoxes) != names.end()) {
    count_ = FaceCount{"faces of " + sha256(Json(features.face_counts).dump()), 0};
    for (const std::int64_t faces : features.face_counts) {
      count_->faces += static_cast<double>(std::min(faces, kCountedFaces));
    }
  }
  const double noise =
      noise_multiplier_for(disclosure_.epsilon, disclosure_.delta, disclosure_.releases + (count_ ? 1 : 0));
  privacy_ = {noise, disclosure_.group_images, disclosure_.gradients};
  ledger_ = std::make_unique<PrivacyLedger>(ledger_file, disclosure_.epsilon, disclosure_.delta);
  if (!ledger_->has_room(noise, 1)) {
    throw InputError(ledger_file + ": epsilon " + rounded(ledger_->spent()) + " of " + rounded(disclosure_.epsilon) +
                     " is spent, no answer is left");
  }
  // What is told must leave an answer.
  if (count_ && !ledger_->told(count_->name) && !ledger_->has_room(noise, 2)) count_.reset();
  auto client =
      std::make_unique<PrivateDataset>(features.images, static_cast<std::int64_t>(names.size()), privacy_, *ledger_);
  private_ = client.get();
  client_ = std::move(client);
}

const wire::OpenDataset& RemoteDataset::open() {
  if (private_) tell_sizes();
  return about_;
}

void RemoteDataset::tell_sizes() {
  if (count_) {
    const double deviation = privacy_.noise_multiplier * static_cast<double>(kCountedFaces);
    const double noisy = std::max(0.0, count_->faces + deviation * secret_normal()());
    const double told = ledger_->tell(count_->name, std::log1p(noisy), privacy_.noise_multiplier);
    for (wire::Statistic& statistic : about_.statistics) {
      if (statistic.name == kLogBoxes) statistic.value = told;
    }
    count_.reset();
  }
  torch::Tensor known = torch::empty({static_cast<std::int64_t>(about_.statistics.size())});
  for (std::size_t i = 0; i < about_.statistics.size(); ++i) {
    known[static_cast<std::int64_t>(i)] = about_.statistics[i].value.value_or(std::numeric_limits<double>::quiet_NaN());
  }
  private_->read_statistics(std::move(known));
}

std::string RemoteDataset::private_answers() const {
  const std::int64_t units = RankerOptions().hidden_units;
  return std::to_string(disclosure_.releases) + " at most, meta-features" +
         (disclosure_.gradients ? " and gradients" : "") + ", each a mean over " + std::to_string(private_->groups()) +
         " groups of " + std::to_string(disclosure_.group_images) + " images with noise of " +
         rounded(privacy_.noise_multiplier) + " times its sensitivity (a deviation of " +
         rounded(private_->relative_noise(units)) + " on each of " + std::to_string(units) +
         " numbers that are 1 where G can make them no larger)\n  privacy: epsilon " + rounded(ledger_->spent()) +
         " spent before, " + rounded(disclosure_.epsilon) + " at most in all, delta " + rounded(disclosure_.delta) +
         ", when one image is replaced by any other\n";
}

std::string RemoteDataset::report() const {
  std::string text = "What leaves this machine:\n  before all else: the extractor's hash " + about_.extractor + "; " +
                     std::to_string(about_.images) + " images of " + std::to_string(about_.image_features) +
                     " numbers; statistics";
  for (const wire::Statistic& statistic : about_.statistics) {
    text += " " + statistic.name;
    if (statistic.value) {
      text += "=" + rounded(*statistic.value);
    } else if (count_ && statistic.name == kLogBoxes) {
      text += " (of the number of faces, " + std::to_string(kCountedFaces) + " an image at most, with noise of " +
              rounded(privacy_.noise_multiplier * static_cast<double>(kCountedFaces)) + ")";
    } else {
      text += " (withheld)";
    }
  }
  text += "\n  answers: ";
  if (private_) {
    text += private_answers();
  } else {
    const std::int64_t units = RankerOptions().hidden_units;
    Rng rng(0);
    const auto statistics = static_cast<std::int64_t>(about_.statistics.size());
    const std::size_t weights = MetaFeatureExtractor(about_.image_features, statistics, units, rng).flat().size();
    text += "2 meta-features of " + std::to_string(units) +
            " numbers, each a mean over at most half of the images, and " + std::to_string(weights) +
            " numbers, the gradient of the extractor's weights, as often as updates ask\n";
  }
  text +=
      "  from the experiment: the search space, configurations and metrics of trials\nWhat stays: images, labels, "
      "file names, and the " +
      std::to_string(about_.image_features) + " numbers of each of the images\n";
  if (const std::int64_t least = Disclosure().least_images; about_.images < least) {
    text += "Fewer than " + std::to_string(least) + " images: all of this needs --least-images.\n";
  }
  return text;
}

}  // namespace hyperfd
