#pragma once

#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include <torch/types.h>

#include "tuner/ranker/config_encoder.h"
#include "tuner/ranker/effect_regression.h"
#include "tuner/ranker/meta_feature_extractor.h"
#include "tuner/ranker/ranker_options.h"

namespace hyperfd {

// F(c, d) = φ_dᵀ H(c). The weights and nothing else; learner.h trains them. docs/ranker.md has the formulas.
//
//   φ_d = mean + deviation_d + numbers(d) + images(d)
//
// numbers(d) is linear in the numbers that describe the data set, images(d) is G's meta-feature; each is zero where
// it is not known. The deviation is what a task's own results say beyond that.
struct Ranker {
  // What an extractor version saw, and the way from its meta-features to today's.
  struct ExtractorVersion {
    torch::Tensor references;  // [reference sets, units]
    torch::Tensor z;           // [units, units]
  };
  struct StoredFeature {
    std::int64_t version;   // of the extractor that made it
    torch::Tensor feature;  // [units]
  };

  // Random encoder and mean, no tasks, no extractor.
  Ranker(const EncodingShape& shape, std::int64_t units, Rng& rng);

  std::int64_t units() const { return mean_feature.size(0); }
  std::int64_t number_count() const { return number_map.size(1); }
  // With weights of its own.
  Ranker clone() const;
  // Everything that is stored, in a fixed order.
  std::vector<torch::Tensor> tensors() const;

  // By the constants; vectors of another length than number_count() count as not known, which is zeros.
  torch::Tensor standardised(const std::vector<double>& statistics) const;  // [numbers]
  // What standardised numbers say, and the mean.
  torch::Tensor mean_for(const torch::Tensor& numbers) const;
  // images(d) of a task whose data set was seen, in today's feature space; undefined if it was not.
  torch::Tensor stored_feature(const std::string& task) const;

  ConfigEncoder encoder;
  torch::Tensor mean_feature;                         // [units]
  std::vector<std::string> tasks;                     // distinct
  torch::Tensor deviations;                           // [tasks, units]
  torch::Tensor number_shift, number_scale;           // [numbers], constants
  torch::Tensor number_map;                           // [units, numbers]
  std::vector<std::string> number_names;              // [numbers], or empty where nobody named them
  std::optional<MetaFeatureExtractor> extractor;      // nullopt: no task had images yet
  std::string frozen;                                 // content hash of what makes the extractor's inputs
  std::int64_t version = 0;                           // of the extractor, counted up when it changes
  std::vector<std::string> references;                // offline tasks that Z is fitted to
  std::map<std::int64_t, ExtractorVersion> versions;  // those of `seen`, and today's
  std::map<std::string, StoredFeature> seen;          // by task
  std::vector<torch::Tensor> importance;              // Ω of synaptic_weights(); empty before the first update
  std::optional<EffectRegression> effects;            // nullopt: nobody said what the encodings' columns are
  torch::Tensor network_scale;                        // []: makes φᵀ H as large as E

  // Adds tasks that are not known yet, with a deviation of zero. Indices of `names` in `tasks`.
  std::vector<std::int64_t> find_or_add(const std::vector<std::string>& names);
  // θ_F: what synaptic intelligence holds. G, then H.
  std::vector<torch::Tensor> synaptic_weights() const;
};

}  // namespace hyperfd
