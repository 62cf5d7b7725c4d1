#include "tuner/space/backbones.h"

#include <algorithm>
#include <cctype>

#include "tuner/base/error.h"
#include "tuner/base/names.h"

namespace hyperfd {
namespace {

bool is_name(const std::string& backbone) {
  const std::vector<std::string> names = backbone_names();
  return std::find(names.begin(), names.end(), backbone) != names.end();
}

}  // namespace

std::vector<std::string> backbone_names() {
  return {"mobilenet_v1_x0.25", "mobilenet_v2_x0.5", "proxylessnas_largest"};
}

std::string canonical_backbone(const std::string& backbone) {
  return is_name(backbone) ? backbone : to_text(*architecture_of(backbone));
}

std::optional<Architecture> architecture_of(const std::string& backbone) {
  if (backbone == "mobilenet_v1_x0.25") return std::nullopt;
  if (backbone == "mobilenet_v2_x0.5") return mobilenet_v2_half();
  if (backbone == "proxylessnas_largest") return proxylessnas_largest();
  if (!backbone.empty() && std::isdigit(static_cast<unsigned char>(backbone[0]))) return architecture_from_text(backbone);
  throw InputError(unknown_name_message("backbone", backbone, backbone_names()));
}

}  // namespace hyperfd
