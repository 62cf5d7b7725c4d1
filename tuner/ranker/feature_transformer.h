#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <torch/types.h>

#include "tuner/ranker/dataset_client.h"
#include "tuner/ranker/ranker.h"
#include "tuner/ranker/transformation.h"

namespace hyperfd {

// Keeps the Z⁽ᵗ⁾ of a ranker up to date during one update, as options.transformation says. With `none` and `oracle`
// every Z stays the identity.
class FeatureTransformer {
 public:
  // `offline`: data sets by task; those that the ranker knows as references are asked. The first update that has some
  // chooses them.
  FeatureTransformer(Ranker& ranker, const std::map<std::string, DatasetClient*>& offline,
                     const RankerOptions& options);

  // Before an iteration that uses meta-features of these extractor versions.
  void prepare(int iteration, const std::vector<std::int64_t>& versions);
  // After the last iteration: makes today's extractor a version, fits every Z to it, forgets versions without tasks.
  void finish();

 private:
  torch::Tensor reference_features() const;
  void fit(std::int64_t version, const torch::Tensor& today);
  bool fits() const;

  Ranker& ranker_;
  const RankerOptions& options_;
  std::vector<DatasetClient*> clients_;  // of the ranker's references; none in an update without offline tasks
  torch::Tensor today_;
  int today_iteration_ = 0;
  std::map<std::int64_t, int> fitted_;  // iteration of the latest fit
  std::map<std::int64_t, ClosedFormTransformation> closed_form_;
  std::map<std::int64_t, SgdTransformation> sgd_;
};

}  // namespace hyperfd
