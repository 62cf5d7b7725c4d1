#pragma once

#include <optional>
#include <string>

#include "trial/data/warnings.h"
#include "trial/evaluation/detection.h"

namespace hyperfd {

// The box as far as it lies in an image of that size (pixels; 0: unknown, no limit), or nothing when there is none
// worth having: without width or height, outside, or with numbers that are none. A box inside stays as it is, to the
// last bit. What is dropped, and clipping by more than half a pixel, is counted in `warnings` with `example`.
std::optional<Box> usable_box(const Box& box, int width, int height, const std::string& example, Warnings& warnings);

}  // namespace hyperfd
