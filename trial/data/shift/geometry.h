#pragma once

#include <functional>

#include "trial/data/shift/shift.h"

namespace hyperfd {

// What becomes of faces that geometry moves. A face whose shorter side is under kSmallestFace pixels, or of which less
// than half is left in the image, is to ignore; one under kNothing pixels on either side is dropped. A face with a
// landmark outside the image keeps none.
constexpr float kSmallestFace = 6, kNothing = 1;

// Points are continuous: pixel (i, j) covers [i, i + 1) × [j, j + 1).
struct PointMap {
  cv::Size size;                            // of the result
  std::function<Point(Point)> forward;      // from the image to the result
  std::function<Point(Point)> inverse;      // back
  std::function<bool(Point)> visible = {};  // whether a point of the result shows the image; empty: inside `size`
};

// Moves the image's faces, and its pixels if it has any. A face is taken for the ellipse that its box encloses, as
// FDDB annotates faces: the new box encloses what is visible of the moved ellipse. What the image does not cover is
// black.
void warp(ShiftedImage& image, const PointMap& map);

// Scales the faces, then moves them, then cuts them off at the edges of an image of `size`. For maps that keep
// rectangles: the boxes are mapped themselves.
std::vector<Face> scale_and_move(const std::vector<Face>& faces, float scale_x, float scale_y, Point offset,
                                 cv::Size size);

// Resizes pixels (if any) and faces.
void resize(ShiftedImage& image, cv::Size size);

}  // namespace hyperfd
