#pragma once

#include <string>
#include <vector>

namespace hyperfd {

// A run of inverted residual blocks (MobileNetV2 §3.3). The first block has the stride, the others stride 1.
struct StageArchitecture {
  int depth = 1;      // blocks
  int expansion = 6;  // channels inside a block per channel coming in
  int kernel = 3;     // of the depthwise convolution: 3, 5 or 7
  int width = 8;      // channels coming out
  int stride = 1;     // 1 or 2
};

// A MobileNetV2-style backbone as data: every network of the paper's Table 9 is one of these.
struct Architecture {
  int stem_width = 16;  // of the 3×3 convolution of stride 2 that comes first
  std::vector<StageArchitecture> stages;
};

// MobileNetV2's depths, expansions and kernels with the widths of Table 9.
Architecture mobilenet_v2_half();

// Throws InputError that names the stage and the value, unless there are seven stages whose outputs 3, 5 and 7 lie at
// strides 8, 16 and 32.
void check(const Architecture& architecture);

}  // namespace hyperfd
