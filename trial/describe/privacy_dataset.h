#pragma once

#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include <torch/types.h>

#include "trial/describe/privacy_ledger.h"
#include "tuner/ranker/dataset_client.h"
#include "tuner/ranker/meta_feature_extractor.h"

namespace hyperfd {

struct PrivacyOptions {
  double noise_multiplier = 0;    // σ; noise_multiplier_for()
  std::int64_t group_images = 8;  // images that make one φ of the average
  bool gradients = false;         // takes part in updates
  double gradient_clip = 1;       // a group's ∂loss/∂θ_G, as a multiple of |∂loss/∂φ|
};

// Standard normal numbers that nobody can foresee.
std::function<double()> secret_normal();

// A data set whose answers are (ε, δ)-differentially private: replacing one image by any other changes the distribution
// of all of them together by no more than that (docs/privacy.md). Sample and aggregate: the images are cut into
// disjoint groups, each with a φ that is no longer than longest_feature() of G's weights, and the groups' mean gets
// Gaussian noise of σ times its sensitivity, 2 · longest / groups. Gradients likewise, clipped. Nothing else that
// depends on images goes in: G reads its own shifts in place of statistics, but for those that were told with noise of
// their own.
//
// Without gradients all groups make φ, and φ~ is the same; with them φ is of one half of the groups and φ~ of the
// other, and an image is in one of the two. Every answer is paid for from the ledger; over budget it is OrderRefused.
class PrivateDataset : public DatasetClient {
 public:
  // images: [n, features]; `statistics`: how many the extractor reads, all withheld. Throws InputError for fewer than
  // two groups.
  PrivateDataset(torch::Tensor images, std::int64_t statistics, const PrivacyOptions& options, PrivacyLedger& ledger,
                 std::function<double()> normal = secret_normal());

  MetaFeaturePair forward(const std::vector<float>& weights, std::uint64_t seed) override;
  std::vector<float> backward(const MetaFeaturePair& gradient) override;

  // Statistics that may be known, in the extractor's order; NaN: withheld.
  void read_statistics(torch::Tensor statistics) { statistics_ = std::move(statistics); }

  std::int64_t groups() const { return static_cast<std::int64_t>(groups_.size()); }
  // The deviation of the noise on each number of φ, as a multiple of what they are where G's φ is as long as it can be.
  double relative_noise(std::int64_t units) const;

 private:
  // What G reads.
  torch::Tensor statistics() const;
  std::int64_t groups_of_one_feature() const;
  torch::Tensor noisy_mean(const std::vector<torch::Tensor>& rows, double longest);

  std::vector<torch::Tensor> groups_;  // [group_images, features] each
  std::int64_t image_features_;
  torch::Tensor statistics_;  // [statistics]
  PrivacyOptions options_;
  PrivacyLedger& ledger_;
  std::function<double()> normal_;
  std::unique_ptr<MetaFeatureExtractor> extractor_;  // of the latest forward()
};

}  // namespace hyperfd
