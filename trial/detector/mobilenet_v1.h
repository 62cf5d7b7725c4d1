#pragma once

#include "trial/detector/backbone.h"
#include "trial/detector/layers.h"

namespace hyperfd {

// MobileNetV1 × 0.25 as Pytorch_Retinaface has it, tensor by tensor, so that its public weights load.
class MobileNetV1 : public Backbone {
 public:
  MobileNetV1();
  std::array<torch::Tensor, 3> forward(const torch::Tensor& pixels) override;
  std::array<int, 3> channels() const override { return {64, 128, 256}; }
  std::vector<std::string> parts(int level) const override { return {"stage" + std::to_string(level)}; }

 private:
  Layers stage1_, stage2_, stage3_;
};

}  // namespace hyperfd
