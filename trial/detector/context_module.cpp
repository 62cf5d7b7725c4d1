#include "trial/detector/context_module.h"

#include "tuner/base/error.h"

namespace hyperfd {

ContextModuleImpl::ContextModuleImpl(int channels) {
  if (channels < 4 || channels % 4 != 0) {
    throw InputError("channels: expected a multiple of 4, got " + std::to_string(channels));
  }
  const ConvolutionOptions plain{3, 1, 1, Activation::kNone};
  const int quarter = channels / 4;
  // The names, with their capital and small x, are those of the public weights.
  field3_ = register_module("conv3X3", convolution(channels, channels / 2, plain));
  shared_ = register_module("conv5X5_1", convolution(channels, quarter, {}));
  field5_ = register_module("conv5X5_2", convolution(quarter, quarter, plain));
  middle7_ = register_module("conv7X7_2", convolution(quarter, quarter, {}));
  field7_ = register_module("conv7x7_3", convolution(quarter, quarter, plain));
}

torch::Tensor ContextModuleImpl::forward(const torch::Tensor& features) {
  const torch::Tensor shared = shared_->forward(features);
  // Plain ReLU, as in the public RetinaFace.
  return torch::cat({field3_->forward(features), field5_->forward(shared), field7_->forward(middle7_->forward(shared))},
                    1)
      .relu_();
}

}  // namespace hyperfd
