#pragma once

#include <string>
#include <utility>
#include <vector>

#include "trial/evaluation/detection.h"

namespace hyperfd {

// Gathers detections as a COCO results file: a list of {image_id, file_name, bbox, score, keypoints, category_id}, with
// the frame, too, for images of a video. Numbers are written so that reading gives the same single-precision value.
class CocoResults {
 public:
  // The id, as JSON text, of the category that means a face.
  explicit CocoResults(std::string category_id = "1") : category_id_(std::move(category_id)) {}

  // `image_id` as JSON text; `frame` counts from 0, −1 for an image of its own.
  void add(const std::string& image_id, const std::string& file_name, int frame,
           const std::vector<Detection>& detections);
  // Atomically. Throws Error that names the file.
  void write(const std::string& file) const;

 private:
  std::string category_id_, entries_;
};

}  // namespace hyperfd
