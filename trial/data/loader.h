#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <opencv2/core/mat.hpp>

#include "trial/data/augmentation.h"
#include "trial/data/face_dataset.h"
#include "trial/data/image_file.h"
#include "trial/data/image_source.h"

namespace hyperfd {

// An image with its faces, in that image's pixels. BGR, 8 bits, as OpenCV reads it.
struct Sample {
  cv::Mat image;
  std::vector<Face> faces;
};

// What the training step takes. Sample i has image i.
struct Batch {
  cv::Mat pixels;  // batch × height × width × 3 BGR, uint8, continuous (a 4-dimensional Mat): wrapped by a tensor
                   // without a copy
  std::vector<std::vector<Face>> faces;  // in crop pixels
};

struct LoaderOptions {
  int batch_size = 32;
  int workers = 1;                       // threads that decode and augment; 0: next() does it itself
  int prefetch = 4;                      // batches made ahead, into the next epoch if need be
  std::size_t cache_bytes = 512u << 20;  // decoded images kept in memory
  std::uint64_t seed = 1;
  AugmentationOptions augmentation;
};

// Random crops of a training split, epoch after epoch, in an order and with augmentations fixed by (seed, epoch,
// position) and therefore independent of the number of workers. Every batch is full: the last one of an epoch is filled
// up with the epoch's first images, augmented anew. An unreadable image is counted, and the epoch's next readable one
// takes its place. One thread uses it. OpenCV's own threads only get in the workers' way: a program says
// cv::setNumThreads(1).
class TrainingLoader {
 public:
  // Throws InputError for options out of range or no images; reads none yet.
  TrainingLoader(const std::string& folder, std::vector<AnnotatedImage> images, const LoaderOptions& options);
  TrainingLoader(std::unique_ptr<ImageSource> source, std::vector<AnnotatedImage> images, const LoaderOptions& options);
  ~TrainingLoader();

  std::size_t batches_per_epoch() const;
  // Starts epoch `epoch` (0, 1, …) from its first batch; allows exact resume.
  void start_epoch(std::uint64_t epoch);
  // The next batch; false at the end of the epoch. Waits for the workers; the waits are added to seconds_waited().
  // Throws InputError when no image at all can be read.
  bool next(Batch& batch);
  double seconds_waited() const;
  // Unreadable images met so far, and images of another size than annotated.
  Warnings warnings() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace hyperfd
