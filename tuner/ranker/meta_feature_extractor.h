#pragma once

#include <vector>

#include <torch/types.h>

#include "tuner/base/rng.h"

namespace hyperfd {

// G, the part that learns: features of some images of a data set → φ. Every image's features come with the data set's
// statistics; linear to `units`, one transformer encoder layer over the images without positions (post-norm, ReLU,
// feed-forward of twice the width, no dropout), mean over images. So the order of images does not matter, and any
// number of them will do. Float32 on the CPU.
class MetaFeatureExtractor {
 public:
  static constexpr std::int64_t kHeads = 4;

  // `units` is a multiple of kHeads. Uniform initialisation within ±1/√inputs of each layer.
  MetaFeatureExtractor(std::int64_t image_features, std::int64_t statistics, std::int64_t units, Rng& rng)
      : MetaFeatureExtractor(image_features, statistics, units, &rng) {}

  // images: [n, image_features], n ≥ 1; statistics: [statistics]. φ, [units]. Of several samples of as many images
  // each at once: [samples, n, image_features] and [statistics] or [samples, statistics] give [samples, units].
  torch::Tensor forward(const torch::Tensor& images, const torch::Tensor& statistics) const;

  // Inputs are standardised with constants, (x − shift) / scale, that do not learn: mean and deviation of each input
  // over a sample of images with their statistics, [n, image_features + statistics]. Without a call: 0 and 1.
  void set_standardisation(const torch::Tensor& inputs);

  // The last layer of attention. Without attention all of it is zero and stays so: then φ is a mean of what single
  // images give, and who computes it need not know.
  std::vector<torch::Tensor> attention_output() const { return {projection_weight_, projection_bias_}; }

  std::int64_t image_features() const { return image_features_; }
  std::int64_t statistics() const { return input_shift_.size(0) - image_features_; }
  std::int64_t units() const { return output_norm_bias_.size(0); }

  MetaFeatureExtractor clone() const;
  // What learns.
  std::vector<torch::Tensor> parameters() const;
  // All of it, the constants included, and as one list of numbers: what a client of a data set needs.
  std::vector<torch::Tensor> all_weights() const;
  std::vector<float> flat() const;
  // The extractor with these flat() weights; its width follows from their number. Throws InputError if none has so
  // many.
  static MetaFeatureExtractor from_flat(std::int64_t image_features, std::int64_t statistics,
                                        const std::vector<float>& weights);

 private:
  // Weights not set, or random.
  MetaFeatureExtractor(std::int64_t image_features, std::int64_t statistics, std::int64_t units, Rng* rng);
  std::vector<torch::Tensor*> tensors();

  std::int64_t image_features_;
  torch::Tensor input_shift_, input_scale_;                    // [inputs]
  torch::Tensor input_weight_, input_bias_;                    // [units, inputs], [units]
  torch::Tensor attention_weight_, attention_bias_;            // queries, keys, values: [3 · units, units]
  torch::Tensor projection_weight_, projection_bias_;          // [units, units]
  torch::Tensor attention_norm_weight_, attention_norm_bias_;  // [units]
  torch::Tensor hidden_weight_, hidden_bias_;                  // [2 · units, units]
  torch::Tensor output_weight_, output_bias_;                  // [units, 2 · units]
  torch::Tensor output_norm_weight_, output_norm_bias_;        // [units]
};

}  // namespace hyperfd
