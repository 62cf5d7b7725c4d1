#pragma once

#include <torch/torch.h>

#include "trial/detector/layers.h"

namespace hyperfd {

// SSH's context module (Najibi et al. 2017 §3.2): fields of 3×3, 5×5 and 7×7 from stacked 3×3 convolutions, side by
// side.
class ContextModuleImpl : public torch::nn::Module {
 public:
  explicit ContextModuleImpl(int channels);
  // [batch, channels, height, width] to the same shape, activated.
  torch::Tensor forward(const torch::Tensor& features);

 private:
  Layers field3_, shared_, field5_, middle7_, field7_;
};
TORCH_MODULE(ContextModule);

}  // namespace hyperfd
