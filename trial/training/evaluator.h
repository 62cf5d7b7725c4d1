#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <opencv2/core/mat.hpp>

#include "trial/data/loader.h"
#include "trial/detector/retinaface.h"
#include "trial/training/recipe.h"

namespace hyperfd {

struct Evaluation {
  double average_precision = 0;                    // AP@50 in [0, 1]
  std::vector<std::vector<Detection>> detections;  // of each image, in pixels of the evaluated size
  std::vector<std::vector<Face>> faces;            // beside them, annotated, in the same pixels
  double images_per_second = 0;                    // network, decoding and (on the first run) reading together
  bool is_finite = true;                           // false: the network said something that is no number
};

// Whether the recipe ignores a face for its size; `box` in pixels of the evaluated size.
bool is_too_small(const Box& box, const Recipe& recipe);

// Detects faces on the images of one split and scores them. Images are resized so that their shorter side is the
// recipe's `evaluation_side`, faces and the smallest face that counts are measured at that size. Unreadable images are
// left out and counted.
class Evaluator {
 public:
  // Resized images of up to `memory` bytes stay in memory between runs.
  Evaluator(std::string folder, std::vector<AnnotatedImage> images, const Recipe& recipe,
            std::size_t memory = 256u << 20);

  // Runs in evaluation mode and puts the detector's mode back. `interrupted` is asked between batches, and between
  // images when they are first read; when it says true the result is nothing. Throws InputError, with the first reason,
  // when no image can be read.
  std::optional<Evaluation> run(RetinaFace& detector, torch::Device device,
                                const std::function<bool()>& interrupted = {});

  // What run() saw of image `index` of its result: resized, with its faces. Throws InputError when it cannot be read.
  Sample sample(std::size_t index);
  const Warnings& warnings() const { return warnings_; }
  // For who runs it no more: images are read again where they are needed.
  void free_memory();

 private:
  struct Slot {
    cv::Mat image;            // empty while it is not in memory
    cv::Size size;            // of the evaluated image
    std::vector<Face> faces;  // in the evaluated image
  };
  // False: interrupted.
  bool measure(torch::Device device, const std::function<bool()>& interrupted);
  void warn_of_small_faces();
  // `is_finite` becomes false when an output of the network is no number.
  std::vector<std::vector<Detection>> detect(RetinaFace& detector, torch::Device device,
                                             const std::vector<std::size_t>& batch, bool& is_finite);

  std::string folder_;
  std::vector<AnnotatedImage> images_;
  Recipe recipe_;
  std::size_t memory_;
  std::vector<Slot> slots_;                        // of the readable images, once measured
  std::vector<std::vector<std::size_t>> batches_;  // indices of images of equal size
  cv::Size anchors_size_;
  torch::Tensor anchors_;  // of images of this size
  Warnings warnings_;
};

}  // namespace hyperfd
