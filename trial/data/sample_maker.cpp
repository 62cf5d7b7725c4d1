#include "trial/data/sample_maker.h"

#include <numeric>
#include <string>
#include <utility>

#include <opencv2/core.hpp>

#include "tuner/base/digest.h"
#include "tuner/base/error.h"

namespace hyperfd {

SampleMaker::SampleMaker(std::unique_ptr<ImageSource> source, std::vector<AnnotatedImage> images,
                         const AugmentationOptions& options, std::uint64_t seed)
    : source_(std::move(source)),
      images_(std::move(images)),
      options_(options),
      seed_(seed),
      unreadable_(images_.size()),
      size_differs_(images_.size()) {}

std::vector<std::uint32_t> SampleMaker::epoch_order(std::uint64_t epoch) const {
  std::vector<std::uint32_t> order(size());
  std::iota(order.begin(), order.end(), 0u);
  Rng rng(stable_hash("order " + std::to_string(seed_) + " " + std::to_string(epoch)));
  rng.shuffle(order);
  return order;
}

void SampleMaker::make(std::uint64_t epoch, const std::vector<std::uint32_t>& order, std::size_t position,
                       cv::Mat& output, std::vector<Face>& faces) {
  for (std::size_t i = 0; i < order.size(); ++i) {
    const std::uint32_t index = order[(position + i) % order.size()];
    const cv::Mat image = read(index);
    if (image.empty()) continue;
    Rng rng(
        stable_hash("sample " + std::to_string(seed_) + " " + std::to_string(epoch) + " " + std::to_string(position)));
    augment(image, images_[index].faces, options_, rng, output, faces);
    return;
  }
  throw InputError("none of the " + std::to_string(size()) +
                   " training images can be read: " + warnings().lines().front());
}

cv::Mat SampleMaker::read(std::uint32_t index) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (unreadable_[index]) return {};
  }
  const AnnotatedImage& annotated = images_[index];
  try {
    cv::Mat image = source_->get(index);
    const std::lock_guard<std::mutex> lock(mutex_);
    if (!size_differs_[index]) size_differs_[index] = warn_of_size(warnings_, annotated, image.size());
    return image;
  } catch (const InputError& error) {
    give_up(index, error.what());
  } catch (const cv::Exception& error) {
    give_up(index, annotated.file + ": " + error.what());
  }
  return {};
}

void SampleMaker::give_up(std::uint32_t index, const std::string& reason) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (!unreadable_[index]) warnings_.add("unreadable images, skipped", reason);
  unreadable_[index] = true;
}

Warnings SampleMaker::warnings() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return warnings_;
}

}  // namespace hyperfd
