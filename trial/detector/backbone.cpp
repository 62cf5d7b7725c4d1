#include "trial/detector/backbone.h"

#include "trial/detector/mobilenet_v1.h"
#include "trial/detector/mobilenet_v2.h"
#include "tuner/base/error.h"
#include "tuner/base/names.h"

namespace hyperfd {

std::vector<std::string> backbone_names() {
  return {"mobilenet_v1_x0.25", "mobilenet_v2_x0.5"};
}

std::shared_ptr<Backbone> make_backbone(const std::string& name) {
  if (name == "mobilenet_v2_x0.5") return make_backbone(mobilenet_v2_half());
  if (name == "mobilenet_v1_x0.25") return std::make_shared<MobileNetV1>();
  throw InputError(unknown_name_message("backbone", name, backbone_names()));
}

std::shared_ptr<Backbone> make_backbone(const Architecture& architecture) {
  return std::make_shared<MobileNetV2>(architecture);
}

}  // namespace hyperfd
