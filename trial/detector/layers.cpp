#include "trial/detector/layers.h"

#include "trial/detector/batch_norm_activation.h"
#include "trial/detector/convolution.h"

namespace hyperfd {

torch::Tensor LayersImpl::forward(torch::Tensor input) {
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    auto* convolution = layers_[i].ptr()->as<Convolution>();
    auto* norm = layers_[i].ptr()->as<torch::nn::BatchNorm2d>();
    if (convolution || (norm && can_fuse_batch_norm(input))) {
      std::size_t next = i + 1;
      if (next < layers_.size() && layers_[next].ptr()->as<torch::nn::Identity>()) ++next;
      const auto* activation = next < layers_.size() ? layers_[next].ptr()->as<torch::nn::LeakyReLU>() : nullptr;
      const double slope = activation ? activation->options.negative_slope() : 1;
      input = convolution ? convolution->forward(input, slope) : batch_norm_activation(input, *norm, slope);
      if (activation) i = next;
    } else {
      input = layers_[i].forward(std::move(input));
    }
  }
  return input;
}

void LayersImpl::fold_batch_norms() {
  for (std::size_t i = 1; i < layers_.size(); ++i) {
    const auto convolution = std::dynamic_pointer_cast<torch::nn::Conv2dImpl>(layers_[i - 1].ptr());
    if (!convolution || !std::dynamic_pointer_cast<torch::nn::BatchNorm2dImpl>(layers_[i].ptr())) continue;
    const auto& old = convolution->options;
    torch::nn::Conv2dOptions options(old.in_channels(), old.out_channels(), old.kernel_size());
    options.stride(old.stride()).padding(old.padding()).groups(old.groups()).bias(true);
    layers_[i - 1] = torch::nn::AnyModule(Convolution(options));
    layers_[i] = torch::nn::AnyModule(torch::nn::Identity());
    replace_module(std::to_string(i - 1), layers_[i - 1].ptr());
    replace_module(std::to_string(i), layers_[i].ptr());
  }
}

void append_convolution(Layers& layers, int channels_in, int channels_out, const ConvolutionOptions& options) {
  layers->push_back(Convolution(torch::nn::Conv2dOptions(channels_in, channels_out, options.kernel)
                                    .stride(options.stride)
                                    .padding(options.kernel / 2)
                                    .groups(options.groups)
                                    .bias(false)));
  layers->push_back(torch::nn::BatchNorm2d(channels_out));
  if (options.activation == Activation::kLeakyReLU) {
    layers->push_back(torch::nn::LeakyReLU(torch::nn::LeakyReLUOptions().negative_slope(kLeakySlope).inplace(true)));
  }
}

Layers convolution(int channels_in, int channels_out, const ConvolutionOptions& options) {
  Layers layers;
  append_convolution(layers, channels_in, channels_out, options);
  return layers;
}

}  // namespace hyperfd
