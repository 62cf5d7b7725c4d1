#pragma once

#include <array>

#include <torch/torch.h>

#include "trial/detector/layers.h"

namespace hyperfd {

// Feature pyramid (Lin et al. 2017): coarse features are brought up by nearest-neighbour enlarging and added to finer
// ones.
class FeaturePyramidImpl : public torch::nn::Module {
 public:
  // channels_in: of the three levels, finest first.
  FeaturePyramidImpl(const std::array<int, 3>& channels_in, int channels);
  // Three levels in, three levels of `channels` out, sizes kept.
  std::array<torch::Tensor, 3> forward(const std::array<torch::Tensor, 3>& features);

 private:
  Layers output1_, output2_, output3_, merge1_, merge2_;
};
TORCH_MODULE(FeaturePyramid);

}  // namespace hyperfd
