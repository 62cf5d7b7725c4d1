#pragma once

#include <functional>
#include <string>
#include <vector>

#include <opencv2/core/mat.hpp>

#include "trial/data/shift/shift_parameters.h"
#include "trial/evaluation/detection.h"
#include "tuner/base/rng.h"

namespace hyperfd {

// An image on its way through the shifts.
struct ShiftedImage {
  cv::Size size;            // pixels; 0 × 0 when unknown
  std::vector<Face> faces;  // in these pixels
  cv::Mat pixels;           // BGR, 8 bits, not shared; empty when only the faces are asked for
};

// Another image of the same split, as it is before this shift; with pixels if those are asked for.
using AnotherImage = std::function<ShiftedImage(Rng&)>;

// Changes an image, and moves its faces with it. Randomness comes from `rng` alone, and what moves faces is drawn
// before anything that depends on pixels, so that faces are the same with and without them.
using Shift = std::function<void(ShiftedImage& image, Rng& rng, const AnotherImage& another)>;

struct ShiftKind {
  std::string name, description;
  // Whether faces move or vanish; needs the image's size then.
  bool moves_faces = false;
  // Throws InputError for parameters that are missing or out of range.
  std::function<Shift(ShiftParameters&)> make;
  // Parameters of a random strength, without "kind".
  std::function<Json(Rng&)> draw;
};

// All kinds, in the order in which a random combination applies them: what happens in front of the camera first, then
// its optics and its sensor, then what is done to pictures.
const std::vector<ShiftKind>& shift_kinds();

// Throws InputError that suggests the nearest name; `place` begins its message.
const ShiftKind& shift_kind(const std::string& name, const std::string& place);

// The parts of shift_kinds(), a file each.
std::vector<ShiftKind> framing_kinds();    // portrait, crowd, rotate, low_resolution
std::vector<ShiftKind> occluding_kinds();  // occlude
ShiftKind fisheye_kind();
std::vector<ShiftKind> style_kinds();    // edge_preserving, flat_colours, pencil, palette, grey
std::vector<ShiftKind> quality_kinds();  // low_light, blur, noise, jpeg

}  // namespace hyperfd
