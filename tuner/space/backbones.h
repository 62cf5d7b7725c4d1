#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tuner/space/architecture.h"

namespace hyperfd {

// A backbone is written as a name of backbone_names() or as the text of an architecture.
std::vector<std::string> backbone_names();

// The name, or the architecture's text in canonical form. Throws InputError that suggests the nearest name, or says
// what is wrong with the text.
std::string canonical_backbone(const std::string& backbone);

// nullopt for mobilenet_v1_x0.25, which is no chain of inverted residual blocks. Throws as canonical_backbone() does.
std::optional<Architecture> architecture_of(const std::string& backbone);

}  // namespace hyperfd
