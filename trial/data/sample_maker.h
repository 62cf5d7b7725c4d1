#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "trial/data/augmentation.h"
#include "trial/data/face_dataset.h"
#include "trial/data/image_source.h"

namespace hyperfd {

// Makes the samples of a training stream; which one depends on (seed, epoch, position) only. Thread-safe.
class SampleMaker {
 public:
  // source->get(i) is images[i].
  SampleMaker(std::unique_ptr<ImageSource> source, std::vector<AnnotatedImage> images,
              const AugmentationOptions& options, std::uint64_t seed);

  std::size_t size() const { return images_.size(); }
  // The images of an epoch in their order: a permutation of 0 … size() − 1.
  std::vector<std::uint32_t> epoch_order(std::uint64_t epoch) const;
  // Augments image order[position mod size()], or the next one in the order that can be read, into `output`
  // (crop_size × crop_size, BGR). Throws InputError when none can.
  void make(std::uint64_t epoch, const std::vector<std::uint32_t>& order, std::size_t position, cv::Mat& output,
            std::vector<Face>& faces);
  Warnings warnings() const;

 private:
  // Empty if it cannot be read.
  cv::Mat read(std::uint32_t index);
  void give_up(std::uint32_t index, const std::string& reason);

  std::unique_ptr<ImageSource> source_;
  std::vector<AnnotatedImage> images_;
  AugmentationOptions options_;
  std::uint64_t seed_;

  mutable std::mutex mutex_;
  Warnings warnings_;
  std::vector<bool> unreadable_, size_differs_;
};

}  // namespace hyperfd
