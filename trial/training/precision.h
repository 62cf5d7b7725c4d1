#pragma once

#include <string>

#include <torch/types.h>

#include "trial/detector/retinaface.h"

namespace hyperfd {

// What the network puts out, in float32, for images of bytes, [n, height, width, 3]. Computed on `device` in
// `precision`, as the recipe's key has it: "bfloat16" where LibTorch takes that for safe. It says once if the processor
// has no instructions for it, which makes it slow.
RawOutput network_output(RetinaFace& network, const torch::Tensor& images, const std::string& precision,
                         torch::Device device);

}  // namespace hyperfd
