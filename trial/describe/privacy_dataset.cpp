#include "trial/describe/privacy_dataset.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <utility>

#include <torch/torch.h>

#include "tuner/base/error.h"
#include "tuner/ranker/extractor_input.h"
#include "tuner/ranker/tensors.h"
#include "tuner/wire/dataset_server.h"

namespace hyperfd {
namespace {

// The tensor, shortened to `longest` if it is longer.
torch::Tensor clipped(const torch::Tensor& vector, double longest) {
  const double length = vector.to(torch::kFloat64).norm().item<double>();
  // What is not finite would be a number of its own; it becomes zero.
  if (!std::isfinite(length)) return torch::zeros_like(vector);
  return length > longest ? vector * (longest / length) : vector;
}

torch::Tensor vector_of(const std::vector<float>& numbers) {
  return torch::tensor(numbers, torch::kFloat32);
}

}  // namespace

std::function<double()> secret_normal() {
  // Marsaglia's polar method on numbers of the operating system.
  return [] {
    thread_local std::random_device device;
    const auto uniform = [] {
      const std::uint64_t bits = static_cast<std::uint64_t>(device()) << 32 | device();
      return static_cast<double>(bits >> 11) * 0x1.0p-52 - 1;
    };
    while (true) {
      const double u = uniform(), v = uniform(), s = u * u + v * v;
      if (s > 0 && s < 1) return u * std::sqrt(-2 * std::log(s) / s);
    }
  };
}

PrivateDataset::PrivateDataset(torch::Tensor images, std::int64_t statistics, const PrivacyOptions& options,
                               PrivacyLedger& ledger, std::function<double()> normal)
    : image_features_(images.size(1)),
      statistics_(torch::full({statistics}, std::numeric_limits<float>::quiet_NaN())),
      options_(options),
      ledger_(ledger),
      normal_(std::move(normal)) {
  if (options.group_images < 1) {
    throw InputError("group: expected 1 image or more, got " + std::to_string(options.group_images));
  }
  const std::int64_t count = images.size(0) / options.group_images;
  if (count < 2) {
    throw InputError("images: expected at least two groups of " + std::to_string(options.group_images) + ", got " +
                     std::to_string(images.size(0)) + " images");
  }
  for (std::int64_t i = 0; i < count; ++i) {
    groups_.push_back(images.slice(0, i * options.group_images, (i + 1) * options.group_images));
  }
}

std::int64_t PrivateDataset::groups_of_one_feature() const {
  return options_.gradients ? groups() / 2 : groups();
}

double PrivateDataset::relative_noise(std::int64_t units) const {
  return options_.noise_multiplier * 2 * std::sqrt(static_cast<double>(units)) /
         static_cast<double>(groups_of_one_feature());
}

torch::Tensor PrivateDataset::statistics() const {
  const torch::Tensor shifts = extractor_->all_weights().front().slice(0, image_features_);
  return torch::where(statistics_.isnan(), shifts, statistics_);
}

// Paid for by the caller.
torch::Tensor PrivateDataset::noisy_mean(const std::vector<torch::Tensor>& rows, double longest) {
  torch::Tensor sum = torch::zeros_like(rows.front());
  for (const torch::Tensor& row : rows) sum += clipped(row, longest);
  const auto count = static_cast<double>(rows.size());
  const double deviation = options_.noise_multiplier * 2 * longest / count;
  torch::Tensor noise = torch::empty_like(sum);
  float* const data = noise.data_ptr<float>();
  for (std::int64_t i = 0; i < noise.numel(); ++i) data[i] = static_cast<float>(deviation * normal_());
  return sum / count + noise;
}

MetaFeaturePair PrivateDataset::forward(const std::vector<float>& weights, std::uint64_t) {
  // Noise far below what a float resolves would be none.
  constexpr double kLeast = 1e-6;
  const std::size_t units =
      extractor_units(static_cast<std::size_t>(image_features_ + statistics_.size(0)), weights.size());
  const double longest = std::max(longest_feature(weights, units), kLeast);
  if (!std::isfinite(longest)) throw wire::OrderRefused("an extractor with weights that are not finite");
  extractor_ = std::make_unique<MetaFeatureExtractor>(
      MetaFeatureExtractor::from_flat(image_features_, statistics_.size(0), weights));
  ledger_.spend(options_.noise_multiplier);
  const torch::NoGradGuard no_grad;
  const torch::Tensor statistics = this->statistics();
  std::vector<torch::Tensor> rows;
  for (const torch::Tensor& group : groups_) rows.push_back(extractor_->forward(group, statistics));
  const auto middle = rows.begin() + static_cast<std::ptrdiff_t>(groups_of_one_feature());
  const std::vector<float> feature = flatten({noisy_mean({rows.begin(), middle}, longest)});
  if (!options_.gradients) return {feature, feature};
  const auto end = middle + static_cast<std::ptrdiff_t>(groups_of_one_feature());
  return {feature, flatten({noisy_mean({middle, end}, longest)})};
}

std::vector<float> PrivateDataset::backward(const MetaFeaturePair& gradient) {
  if (!options_.gradients) throw wire::OrderRefused("this data set gives no gradients");
  if (!extractor_) throw Error("backward() without forward()");
  const torch::Tensor feature = vector_of(gradient.feature), twin = vector_of(gradient.twin);
  const double longest = options_.gradient_clip * std::max(feature.norm().item<double>(), twin.norm().item<double>());
  if (!std::isfinite(longest) || feature.numel() != extractor_->units() || twin.numel() != extractor_->units()) {
    throw wire::OrderRefused("a gradient that is none");
  }
  ledger_.spend(options_.noise_multiplier);
  const torch::Tensor statistics = this->statistics();
  const std::vector<torch::Tensor> learned = extractor_->parameters();
  for (const torch::Tensor& parameter : learned) parameter.set_requires_grad(true);
  const std::int64_t half = groups_of_one_feature();
  std::vector<torch::Tensor> of_feature, of_twin;
  for (std::int64_t i = 0; i < 2 * half; ++i) {
    for (const torch::Tensor& parameter : learned) parameter.mutable_grad() = torch::Tensor();
    extractor_->forward(groups_[static_cast<std::size_t>(i)], statistics).backward(i < half ? feature : twin);
    std::vector<torch::Tensor> parts;
    for (const torch::Tensor& weights : extractor_->all_weights()) {
      parts.push_back((weights.grad().defined() ? weights.grad() : torch::zeros_like(weights)).flatten());
    }
    (i < half ? of_feature : of_twin).push_back(torch::cat(parts).detach());
  }
  for (const torch::Tensor& parameter : learned) parameter.set_requires_grad(false);
  // An image is in one of the two: together they have the sensitivity of one.
  return flatten({noisy_mean(of_feature, longest) + noisy_mean(of_twin, longest)});
}

}  // namespace hyperfd
