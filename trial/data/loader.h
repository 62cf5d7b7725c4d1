#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <opencv2/core/mat.hpp>

#include "trial/data/face_dataset.h"

namespace hyperfd {

// An image with its faces, in that image's pixels. BGR, 8 bits, as OpenCV reads it.
struct Sample {
  cv::Mat image;
  std::vector<Face> faces;
};

// What the training step takes. Sample i has image i.
struct Batch {
  cv::Mat pixels;  // batch × height × width × 3 BGR, uint8, continuous (a 4-dimensional Mat): wrapped by a tensor without a copy
  std::vector<std::vector<Face>> faces;  // in crop pixels
};

struct AugmentationOptions {
  int crop_size = 640;             // pixels; output is crop_size × crop_size
  float minimum_crop_ratio = 0.3f; // smallest crop as a fraction of the shorter side (the HPO space's "min crop ratio")
  float flip_probability = 0.5f;   // horizontal; landmarks swap sides
  bool colour = true;              // brightness, contrast, saturation, hue as in RetinaFace
};

struct LoaderOptions {
  int batch_size = 32;
  int workers = 1;                          // threads that decode and augment
  int prefetch = 4;                         // batches made ahead
  std::size_t cache_bytes = 512u << 20;     // decoded images kept in memory
  std::uint64_t seed = 1;
  AugmentationOptions augmentation;
};

// Random crops of a training split, epoch after epoch, in an order and with augmentations fixed by (seed, epoch, position)
// and therefore independent of the number of workers. Unreadable images are skipped and counted.
class TrainingLoader {
 public:
  TrainingLoader(std::string folder, std::vector<AnnotatedImage> images, const LoaderOptions& options);
  ~TrainingLoader();

  std::size_t batches_per_epoch() const;
  // Starts epoch `epoch` (0, 1, …) from its first batch; allows exact resume.
  void start_epoch(std::uint64_t epoch);
  // The next batch; false at the end of the epoch. Waits for the workers; the waits are added to seconds_waited().
  bool next(Batch& batch);
  double seconds_waited() const;
  // Unreadable images met so far.
  const Warnings& warnings() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Reads one image (BGR, 8 bits, EXIF orientation ignored so that boxes fit). Throws InputError that names the file.
cv::Mat read_image(const std::string& file);

}  // namespace hyperfd
