#pragma once

#include <string>

#include "trial/detector/weights.h"

namespace hyperfd {

// SHA-256 over the names, shapes and values of all tensors; the description does not count.
std::string weights_digest(const Weights& weights);

}  // namespace hyperfd
