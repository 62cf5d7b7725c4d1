#include "trial/data/image_source.h"

#include <mutex>
#include <utility>

#include "trial/data/image_file.h"

namespace hyperfd {
namespace {

class DatasetImages : public ImageSource {
 public:
  DatasetImages(const std::string& folder, std::vector<AnnotatedImage> images)
      : folder_(folder), images_(std::move(images)) {}

  std::size_t size() const override { return images_.size(); }
  cv::Mat get(std::size_t index) override { return read_pixels(folder_, images_[index]); }

 private:
  std::string folder_;
  std::vector<AnnotatedImage> images_;
};

class CachedImages : public ImageSource {
 public:
  CachedImages(std::unique_ptr<ImageSource> source, std::size_t bytes)
      : source_(std::move(source)), free_bytes_(bytes), images_(source_->size()) {}

  std::size_t size() const override { return source_->size(); }

  cv::Mat get(std::size_t index) override {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      if (!images_[index].empty()) return images_[index];
    }
    cv::Mat image = source_->get(index);
    const std::size_t bytes = image.total() * image.elemSize();
    const std::lock_guard<std::mutex> lock(mutex_);
    if (images_[index].empty() && bytes <= free_bytes_) {
      free_bytes_ -= bytes;
      images_[index] = image;
    }
    return image;
  }

 private:
  std::unique_ptr<ImageSource> source_;
  std::mutex mutex_;
  std::size_t free_bytes_;
  std::vector<cv::Mat> images_;  // empty: not kept
};

}  // namespace

cv::Mat read_pixels(const std::string& folder, const AnnotatedImage& image) {
  if (image.make_pixels) return image.make_pixels();
  return read_annotated_image(folder + "/" + image.file, image.width, image.height);
}

bool warn_of_size(Warnings& warnings, const AnnotatedImage& image, cv::Size size) {
  const bool differs =
      (image.width > 0 && image.width != size.width) || (image.height > 0 && image.height != size.height);
  if (differs) {
    warnings.add("images of another size than annotated, boxes may be off",
                 image.file + ": " + std::to_string(size.width) + "x" + std::to_string(size.height) + ", annotated " +
                     std::to_string(image.width) + "x" + std::to_string(image.height));
  }
  return differs;
}

std::unique_ptr<ImageSource> dataset_images(const std::string& folder, std::vector<AnnotatedImage> images) {
  return std::make_unique<DatasetImages>(folder, std::move(images));
}

std::unique_ptr<ImageSource> cached_images(std::unique_ptr<ImageSource> source, std::size_t bytes) {
  return std::make_unique<CachedImages>(std::move(source), bytes);
}

}  // namespace hyperfd
