#pragma once

#include <memory>
#include <string>

#include <torch/torch.h>

#include "tuner/bench/lookup_table.h"
#include "tuner/ranker/dataset_features.h"

namespace hyperfd {

// A space of eight points, and image features of two kinds of data sets, near and far, which look different and whose
// numbers say nothing.
inline LookupTable toy_table() {
  const char* space = R"({"x": {"_type": "choice", "_value": [1, 2, 3, 4, 5, 6, 7, 8]}})";
  return {"toy", SearchSpace::parse(Json::parse(space)), {}, {}};
}

inline std::shared_ptr<const DatasetFeatures> toy_features(bool is_far) {
  auto features = std::make_shared<DatasetFeatures>();
  features->extractor = std::string(64, 'a');
  features->images = to_half_precision(torch::randn({20, 3}) * 0.3 + (is_far ? 1.0 : -1.0));
  features->statistic_names = {"size"};
  features->statistics = {3.0};
  return features;
}

}  // namespace hyperfd
