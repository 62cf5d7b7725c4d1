#pragma once

#include <string>
#include <utility>
#include <vector>

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

// A chain of layers, numbered as torch::nn::Sequential numbers them; unlike it, it can stand in another chain, and it
// can lose its batch norms.
class LayersImpl : public torch::nn::Module {
 public:
  template <typename Layer>
  void push_back(const Layer& layer) {
    layers_.emplace_back(layer);
    register_module(std::to_string(layers_.size() - 1), layers_.back().ptr());
  }
  torch::Tensor forward(torch::Tensor input);

  // Every batch norm behind a convolution becomes an identity and the convolution gets a bias, both of which fold()
  // (folding.h) computes weights for. The values of the convolutions are lost.
  void fold_batch_norms();

 private:
  std::vector<torch::nn::AnyModule> layers_;
};
TORCH_MODULE(Layers);

// Convolution without bias, padded so that stride 1 keeps the size, then batch norm, then the activation.
// Children are numbered 0 (convolution), 1 (batch norm) and 2 (activation), the names of the public RetinaFace weights.
Layers convolution(int channels_in, int channels_out, const ConvolutionOptions& options);

// Appends the same three layers to `layers`.
void append_convolution(Layers& layers, int channels_in, int channels_out, const ConvolutionOptions& options);

}  // namespace hyperfd
