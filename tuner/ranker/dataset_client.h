#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "tuner/base/error.h"

namespace hyperfd {

// The data set cannot be asked any more.
class DatasetUnreachable : public Error {
 public:
  using Error::Error;
};

// Meta-features of two disjoint samples of a data set's images.
struct MetaFeaturePair {
  std::vector<float> feature;  // φ
  std::vector<float> twin;     // φ~ of Eq. 7
};

class LocalDatasetClient;

// A data set whose images the learner never sees. Calls may throw DatasetUnreachable.
class DatasetClient {
 public:
  virtual ~DatasetClient() = default;
  // φ and φ~ under these weights, MetaFeatureExtractor::flat(). The seed chooses the samples.
  virtual MetaFeaturePair forward(const std::vector<float>& weights, std::uint64_t seed) = 0;
  // forward().feature where no backward() follows, for less if that can be had.
  virtual std::vector<float> feature(const std::vector<float>& weights, std::uint64_t seed) {
    return forward(weights, seed).feature;
  }
  // ∂loss/∂θ_G for the latest forward(), in the order and number of its weights (zero for constants), from ∂loss/∂φ and
  // ∂loss/∂φ~.
  virtual std::vector<float> backward(const MetaFeaturePair& gradient) = 0;
  // This, where image features are in this process and several such data sets may be asked together; else nullptr.
  virtual LocalDatasetClient* local() { return nullptr; }
};

// A data set in this process: its image features, as DatasetFeatures::serialize() writes them. Throws InputError that
// starts with `source`.
std::unique_ptr<DatasetClient> local_dataset_client(const std::string& features, const std::string& source);

}  // namespace hyperfd
