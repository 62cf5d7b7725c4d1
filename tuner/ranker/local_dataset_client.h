#pragma once

#include <memory>
#include <vector>

#include <torch/types.h>

#include "tuner/ranker/dataset_client.h"
#include "tuner/ranker/dataset_features.h"
#include "tuner/ranker/meta_feature_extractor.h"

namespace hyperfd {

// A data set in this process: its image features are in memory.
class LocalDatasetClient : public DatasetClient {
 public:
  // images: [n, features], n ≥ 1; statistics: [s]; float32, finite. `sample` images make one φ; a data set with fewer
  // than 2 · sample gives half of them to each of φ and φ~.
  LocalDatasetClient(torch::Tensor images, torch::Tensor statistics, std::int64_t sample = 32);
  // Throws InputError for features without an image.
  explicit LocalDatasetClient(const DatasetFeatures& features, std::int64_t sample = 32)
      : LocalDatasetClient(features.images, features.statistics_tensor(), sample) {}

  MetaFeaturePair forward(const std::vector<float>& weights, std::uint64_t seed) override;
  // Leaves the latest forward() as it is; any number of threads may ask at the same time.
  std::vector<float> feature(const std::vector<float>& weights, std::uint64_t seed) override;
  std::vector<float> backward(const MetaFeaturePair& gradient) override;
  LocalDatasetClient* local() override { return this; }

  // φ of some data sets under one extractor, [data sets, units], or with φ~ [data sets, 2, units]; a seed for each. In
  // the extractor's graph, and much faster than one after the other.
  static torch::Tensor features_of(const MetaFeatureExtractor& extractor,
                                   const std::vector<LocalDatasetClient*>& datasets,
                                   const std::vector<std::uint64_t>& seeds);
  static torch::Tensor pairs_of(const MetaFeatureExtractor& extractor, const std::vector<LocalDatasetClient*>& datasets,
                                const std::vector<std::uint64_t>& seeds);

  std::int64_t image_features() const { return images_.size(1); }
  std::int64_t statistics() const { return statistics_.size(0); }

 private:
  // Rows of the images that make φ, and of those that make φ~: [2, sample].
  torch::Tensor draw(std::uint64_t seed) const;
  // Images of the first samples of draw(): [samples, sample, features].
  torch::Tensor images(std::uint64_t seed, std::int64_t samples) const;
  static torch::Tensor together(const MetaFeatureExtractor& extractor, const std::vector<LocalDatasetClient*>& datasets,
                                const std::vector<std::uint64_t>& seeds, std::int64_t samples);

  torch::Tensor images_, statistics_;
  std::int64_t sample_;
  std::unique_ptr<MetaFeatureExtractor> extractor_;  // of the latest forward(), as are φ and φ~ with their graph
  torch::Tensor features_;                           // [2, units]
};

}  // namespace hyperfd
