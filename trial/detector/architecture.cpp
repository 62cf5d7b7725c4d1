#include "trial/detector/architecture.h"

#include "tuner/base/error.h"

namespace hyperfd {

Architecture mobilenet_v2_half() {
  return {16,
          {{1, 1, 3, 8, 1},
           {2, 6, 3, 12, 2},
           {3, 6, 3, 16, 2},
           {4, 6, 3, 32, 2},
           {3, 6, 3, 48, 1},
           {3, 6, 3, 80, 2},
           {1, 6, 3, 160, 1}}};
}

void check(const Architecture& architecture) {
  const auto require = [](bool holds, std::size_t stage, const std::string& field, int value,
                          const std::string& expected) {
    if (holds) return;
    throw InputError("architecture: stages[" + std::to_string(stage) + "]." + field + ": expected " + expected +
                     ", got " + std::to_string(value));
  };
  if (architecture.stages.size() != 7) {
    throw InputError("architecture: expected 7 stages, got " + std::to_string(architecture.stages.size()));
  }
  if (architecture.stem_width < 1) {
    throw InputError("architecture: stem_width: expected a width > 0, got " + std::to_string(architecture.stem_width));
  }
  int stride = 2;
  for (std::size_t i = 0; i < architecture.stages.size(); ++i) {
    const StageArchitecture& stage = architecture.stages[i];
    require(stage.depth >= 1, i, "depth", stage.depth, "at least 1");
    require(stage.expansion >= 1, i, "expansion", stage.expansion, "at least 1");
    require(stage.kernel == 3 || stage.kernel == 5 || stage.kernel == 7, i, "kernel", stage.kernel, "3, 5 or 7");
    require(stage.width >= 1, i, "width", stage.width, "at least 1");
    require(stage.stride == 1 || stage.stride == 2, i, "stride", stage.stride, "1 or 2");
    stride *= stage.stride;
    const int wanted = i == 2 ? 8 : i == 4 ? 16 : i == 6 ? 32 : stride;
    require(stride == wanted, i, "stride", stage.stride,
            "one that brings the network's stride to " + std::to_string(wanted));
  }
}

}  // namespace hyperfd
