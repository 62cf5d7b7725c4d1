#pragma once

#include <array>
#include <memory>
#include <string>
#include <vector>

#include <torch/torch.h>

#include "tuner/space/backbones.h"

namespace hyperfd {

// What stands before the feature pyramid.
class Backbone : public torch::nn::Module {
 public:
  // pixels: [batch, 3, height, width] float. Returns the features at strides 8, 16 and 32: [batch, channels()[i],
  // ⌈height/stride⌉, ⌈width/stride⌉].
  virtual std::array<torch::Tensor, 3> forward(const torch::Tensor& pixels) = 0;
  virtual std::array<int, 3> channels() const = 0;
  // The children that lead from the features of level − 1 (the pixels for level 1) to those of `level` (1, 2 or 3).
  virtual std::vector<std::string> parts(int level) const = 0;
};

// A backbone by name or by the text of an architecture. Throws as canonical_backbone() does.
std::shared_ptr<Backbone> make_backbone(const std::string& backbone);

// A backbone by description, with tensors body.stem and body.stage1 … body.stage7. Throws what check() throws.
std::shared_ptr<Backbone> make_backbone(const Architecture& architecture);

}  // namespace hyperfd
