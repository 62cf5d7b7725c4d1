#pragma once

#include <cstdint>
#include <string>

#include "tuner/space/architecture.h"
#include "tuner/space/cost.h"

namespace hyperfd {

// The paper's bound, "less than 730M under 360P resolution" (its "Search space"), is taken to be the backbone's, which is
// what is searched. At 640×360 backbones of Table 9 need 185 M to 679 M, MobileNetV2 × 0.5 needs 364 M, so the bound
// turns none of them away; it does where users widen the space. Whole detectors (pyramid of width 80) need 725 M to
// 1220 M: there the bound would leave hardly any, and not MobileNetV2 × 0.5 (905 M), on which the paper trains.
constexpr std::int64_t kPaperBackboneMultiplyAdds = 730'000'000;

// What stands before the feature pyramid. `backbone` as in backbones.h; throws InputError as canonical_backbone() does.
Cost backbone_cost(const std::string& backbone, ImageSize size = {});
Cost backbone_cost(const Architecture& architecture, ImageSize size = {});

// The whole detector: backbone, feature pyramid and context modules of width `channels`, heads.
Cost detector_cost(const std::string& backbone, int channels, ImageSize size = {});
Cost detector_cost(const Architecture& architecture, int channels, ImageSize size = {});

}  // namespace hyperfd
