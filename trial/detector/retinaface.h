#pragma once

#include <array>
#include <memory>
#include <vector>

#include <torch/torch.h>

#include "trial/detector/backbone.h"
#include "trial/detector/context_module.h"
#include "trial/detector/convolution.h"
#include "trial/detector/feature_pyramid.h"
#include "trial/detector/options.h"

namespace hyperfd {

// What the network says of a batch; anchors in the order of make_anchors(). Nothing is decoded yet.
struct RawOutput {
  torch::Tensor logits;     // [batch, anchors, 2]: background, face
  torch::Tensor boxes;      // [batch, anchors, 4]: encoded, see box_coding.h
  torch::Tensor landmarks;  // [batch, anchors, 10]: encoded, see box_coding.h
};

// RetinaFace (Deng et al. 2020): backbone, feature pyramid, context modules, and three heads on each level.
// Tensor names are those of Pytorch_Retinaface: body.*, fpn.*, ssh1 … ssh3, ClassHead.i, BboxHead.i, LandmarkHead.i.
class RetinaFaceImpl : public torch::nn::Module {
 public:
  // Throws InputError that names the option and its value.
  explicit RetinaFaceImpl(const DetectorOptions& options);

  // pixels: [batch, 3, height, width] as normalise_pixels() makes them.
  RawOutput forward(const torch::Tensor& pixels);

  // The two halves of forward(). Output of the context modules at strides 8, 16 and 32: [batch, channels, ⌈height/stride⌉, ⌈width/stride⌉].
  std::array<torch::Tensor, 3> context_features(const torch::Tensor& pixels);
  RawOutput heads(const std::array<torch::Tensor, 3>& features);

  // Random weights: normal with variance 2 / fan-in for convolutions, batch norm at identity, the class bias so that
  // every anchor starts with a face probability of `face_prior`. The same generator state gives the same weights.

  void initialise(torch::Generator generator, double face_prior = 0.01);

  const DetectorOptions& options() const { return options_; }
  const Backbone& backbone() const { return *body_; }

 private:
  DetectorOptions options_;
  std::shared_ptr<Backbone> body_;
  FeaturePyramid fpn_{nullptr};
  std::vector<ContextModule> contexts_;
  std::vector<Convolution> class_heads_, box_heads_, landmark_heads_;
};
TORCH_MODULE(RetinaFace);

// images: [batch, height, width, 3] uint8, BGR. Returns [batch, 3, height, width] float in channels-last memory, means
// taken off, on `device`.
torch::Tensor normalise_pixels(const torch::Tensor& images, torch::Device device);

}  // namespace hyperfd
