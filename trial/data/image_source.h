#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include <opencv2/core/mat.hpp>

#include "trial/data/face_dataset.h"

namespace hyperfd {

// Numbered images; sources wrap one another. Thread-safe. The pixels are shared: nobody may write to them.
class ImageSource {
 public:
  virtual ~ImageSource() = default;
  virtual std::size_t size() const = 0;
  // BGR, 8 bits. Throws InputError that names the file when the image cannot be read.
  virtual cv::Mat get(std::size_t index) = 0;
};

// The pixels of one image of a data set in `folder`, read or made. BGR, 8 bits, not shared. Throws InputError that
// names the file.
cv::Mat read_pixels(const std::string& folder, const AnnotatedImage& image);

// Whether an image of that size is not as large as its annotation says; then there is a warning of it.
bool warn_of_size(Warnings& warnings, const AnnotatedImage& image, cv::Size size);

// Images of a data set, decoded anew at each call.
std::unique_ptr<ImageSource> dataset_images(const std::string& folder, std::vector<AnnotatedImage> images);

// Keeps decoded images until `bytes` are full and then no more: epochs visit every image once in random order, so
// throwing one out for another would lose as many hits as it wins.
std::unique_ptr<ImageSource> cached_images(std::unique_ptr<ImageSource> source, std::size_t bytes);

}  // namespace hyperfd
