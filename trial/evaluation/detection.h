#pragma once

#include <array>
#include <optional>
#include <vector>

namespace hyperfd {

// Pixels of the image at hand; x, y is the top left corner; right and bottom edges are x + width, y + height (no +1).
struct Box {
  float x = 0, y = 0, width = 0, height = 0;

  float right() const { return x + width; }
  float bottom() const { return y + height; }
  float area() const { return width * height; }
};

// Intersection over union in [0, 1]; 0 when both are empty.
float iou(const Box& a, const Box& b);

// Left eye, right eye, nose, left mouth corner, right mouth corner; left as seen in the image. Pixels.
struct Point {
  float x = 0, y = 0;
};
using Landmarks = std::array<Point, 5>;

// An annotated face.
struct Face {
  Box box;
  bool ignored = false;  // COCO's iscrowd, or too small to count: neither a positive nor a miss
  std::optional<Landmarks> landmarks;
};

// What a detector says.
struct Detection {
  Box box;
  float score = 0;  // in [0, 1]
  Landmarks landmarks{};
};

// Whether the landmarks say something. A network that was trained without any puts all five near the anchor's centre.
bool has_landmarks(const Detection& detection);

}  // namespace hyperfd
