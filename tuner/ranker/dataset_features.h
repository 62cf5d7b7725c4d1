#pragma once

#include <string>
#include <vector>

#include <torch/types.h>

namespace hyperfd {

// The statistics that say how large a data set is.
inline constexpr char kLogImages[] = "log1p(images)", kLogBoxes[] = "log1p(boxes)";

// What a frozen extractor says of a data set: G's input, all that a DatasetClient needs. Made by `hyperfd-trial
// describe`.
struct DatasetFeatures {
  static constexpr std::int64_t kMaxImages = 1 << 24, kMaxFeatures = 1 << 14, kMaxStatistics = 1 << 10;

  // SHA-256 (hexadecimal digits) over the frozen weights, their network, all options, and the version of the code that
  // computes the numbers. Features of different extractors must never meet.
  std::string extractor;
  // [n, features] float32 whose values float16 can hold (to_half_precision()). n = 0: a task without images.
  torch::Tensor images;
  std::vector<std::string> statistic_names;  // different from each other
  std::vector<double> statistics;            // of the whole data set, one a name, finite
  // Faces of each image of the whole data set, in any order; empty: not known. They stay where the images are, like
  // the images' features: a private data set tells their sum with noise.
  std::vector<std::int64_t> face_counts = {};

  // [statistics] float32.
  torch::Tensor statistics_tensor() const;

  // Keeps the features of at most so many images, evenly chosen; statistics and counts are still of all.
  void keep_images(std::int64_t most);

  // Throws InputError unless all of the above holds; `source` begins its message.
  void check(const std::string& source) const;
  // Throws InputError that names both hashes unless the features are of extractor `expected`.
  void require_extractor(const std::string& expected, const std::string& source) const;

  // Format version 1: "HyperFD features 1\n", SHA-256 of the rest, "\n", a JSON header, "\n", and the features as
  // little-endian float16. Statistics are in the header, to the last bit. Throws InputError as check() does.
  std::string serialize() const;
  // The inverse. Takes no more memory than a few times the bytes given. Throws InputError for anything else than what
  // serialize() writes; `source` begins its message.
  static DatasetFeatures deserialize(const std::string& bytes, const std::string& source);
};

// The nearest numbers that float16 has, within its finite range, as float32.
torch::Tensor to_half_precision(const torch::Tensor& numbers);

}  // namespace hyperfd
