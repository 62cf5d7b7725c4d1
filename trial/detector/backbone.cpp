#include "trial/detector/backbone.h"

#include "trial/detector/mobilenet_v1.h"
#include "trial/detector/mobilenet_v2.h"

namespace hyperfd {

std::shared_ptr<Backbone> make_backbone(const std::string& backbone) {
  const std::optional<Architecture> architecture = architecture_of(backbone);
  if (!architecture) return std::make_shared<MobileNetV1>();
  return make_backbone(*architecture);
}

std::shared_ptr<Backbone> make_backbone(const Architecture& architecture) {
  return std::make_shared<MobileNetV2>(architecture);
}

}  // namespace hyperfd
