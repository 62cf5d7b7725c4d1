#include "trial/detector/layers.h"

namespace hyperfd {

void append_convolution(Layers& layers, int channels_in, int channels_out, const ConvolutionOptions& options) {
  layers->push_back(torch::nn::Conv2d(torch::nn::Conv2dOptions(channels_in, channels_out, options.kernel)
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
