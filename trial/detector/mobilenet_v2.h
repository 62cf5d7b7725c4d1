#pragma once

#include <vector>

#include "trial/detector/backbone.h"
#include "trial/detector/layers.h"

namespace hyperfd {

// A chain of inverted residual blocks as an Architecture describes it; features are taken after stages 3, 5 and 7.
class MobileNetV2 : public Backbone {
 public:
  explicit MobileNetV2(const Architecture& architecture);
  std::array<torch::Tensor, 3> forward(const torch::Tensor& pixels) override;
  std::array<int, 3> channels() const override { return channels_; }
  std::vector<std::string> parts(int level) const override;

 private:
  Layers stem_;
  std::vector<Layers> stages_;
  std::array<int, 3> channels_;
};

}  // namespace hyperfd
