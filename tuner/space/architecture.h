#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tuner/base/json.h"

namespace hyperfd {

// An inverted residual block (MobileNetV2 §3.3).
struct BlockArchitecture {
  int expansion = 6;  // channels inside the block per channel coming in
  int kernel = 3;     // of the depthwise convolution: 3, 5 or 7
};

// A run of blocks of one width. The first block has the stride, the others stride 1.
struct StageArchitecture {
  int width = 8;   // channels coming out of every block
  int stride = 1;  // 1 or 2
  std::vector<BlockArchitecture> blocks;
};

// A MobileNetV2-style backbone as data: every network of the paper's Table 9 is one of these.
struct Architecture {
  int stem_width = 16;  // of the 3×3 convolution of stride 2 that comes first
  std::vector<StageArchitecture> stages;
};

// MobileNetV2's depths, expansions and kernels with the widths of Table 9.
Architecture mobilenet_v2_half();

// The deepest and widest network of Table 9 with the largest kernels: the one whose weights are mapped to all others.
Architecture proxylessnas_largest();

// Throws InputError that names the stage and the value, unless there are seven stages whose outputs 3, 5 and 7 lie at
// strides 8, 16 and 32.
void check(const Architecture& architecture);

// The text of an architecture: stem width, then for each stage its width, stride and blocks (kernel and expansion):
// `16-8s1:k3e1-12s2:k5e6,k3e4-…`. Equal for equal architectures, and no character of it means anything to a shell.
std::string to_text(const Architecture& architecture);

// The inverse of to_text(). Throws InputError that names the part that is wrong, or what check() throws.
Architecture architecture_from_text(const std::string& text);

// The architecture that a configuration of search_spaces/proxylessnas.yaml stands for, as NNI gives it:
// {"stage2": {"_name": "depth2", "kernel1": 5, "expansion1": 6, "kernel2": 3, "expansion2": 4}, …, "stage7": {…}}.
// Other keys are left alone: a space may have hyper-parameters too. nullopt when it has none of these keys. Values need
// not be Table 9's, so that users may widen the space. Throws InputError: `<source>: stage2.kernel1: expected 3, 5 or
// 7, got 4`.
std::optional<Architecture> architecture_from(const Json& configuration, const std::string& source);

// The keys that architecture_from() reads: stage2 … stage7.
std::vector<std::string> architecture_keys();

}  // namespace hyperfd
