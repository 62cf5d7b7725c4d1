#pragma once

#include <torch/torch.h>

namespace hyperfd {

// Negative slope of every activation in the detector (the paper's B.1 says LeakyReLU; 0.1 as in Pytorch_Retinaface).
constexpr double kLeakySlope = 0.1;

enum class Activation { kNone, kLeakyReLU };

struct ConvolutionOptions {
  int kernel = 3;
  int stride = 1;
  int groups = 1;
  Activation activation = Activation::kLeakyReLU;
};

// A chain of layers that, unlike torch::nn::Sequential itself, can stand in another chain.
class LayersImpl : public torch::nn::SequentialImpl {
 public:
  torch::Tensor forward(torch::Tensor input) { return torch::nn::SequentialImpl::forward(std::move(input)); }
};
TORCH_MODULE(Layers);

// Convolution without bias, padded so that stride 1 keeps the size, then batch norm, then the activation.
// Children are numbered 0 (convolution), 1 (batch norm) and 2 (activation), the names of the public RetinaFace weights.
Layers convolution(int channels_in, int channels_out, const ConvolutionOptions& options);

// Appends the same three layers to `layers`.
void append_convolution(Layers& layers, int channels_in, int channels_out, const ConvolutionOptions& options);

}  // namespace hyperfd
