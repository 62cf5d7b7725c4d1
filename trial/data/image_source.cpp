#include "trial/data/image_source.h"

#include <mutex>
#include <utility>

#include "trial/data/image_file.h"

namespace hyperfd {
namespace {

class ImageFiles : public ImageSource {
 public:
  ImageFiles(const std::string& folder, std::vector<std::string> files) : folder_(folder), files_(std::move(files)) {}

  std::size_t size() const override { return files_.size(); }
  cv::Mat get(std::size_t index) override { return read_image(folder_ + "/" + files_[index]); }

 private:
  std::string folder_;
  std::vector<std::string> files_;
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

std::unique_ptr<ImageSource> image_files(const std::string& folder, std::vector<std::string> files) {
  return std::make_unique<ImageFiles>(folder, std::move(files));
}

std::unique_ptr<ImageSource> cached_images(std::unique_ptr<ImageSource> source, std::size_t bytes) {
  return std::make_unique<CachedImages>(std::move(source), bytes);
}

}  // namespace hyperfd
