#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace hyperfd {

// What an extractor G reads of a data set.
struct ExtractorInput {
  std::string frozen;              // content hash of the part that made the image features and does not learn
  std::size_t image_features = 0;  // numbers of one image
  std::size_t statistics = 0;      // of the data set

  bool operator==(const ExtractorInput& other) const {
    return frozen == other.frozen && image_features == other.image_features && statistics == other.statistics;
  }
  bool operator!=(const ExtractorInput& other) const { return !(*this == other); }
};

// The width of φ of an extractor that reads `inputs` numbers an image and has so many weights (MetaFeatureExtractor::
// flat()). If there is none with exactly so many, that of the next larger one.
std::size_t extractor_units(std::size_t inputs, std::size_t weights);

// The norm that no φ of an extractor with these weights exceeds: it is a mean of normalised vectors, scaled and
// shifted by the last 2 · units weights.
double longest_feature(const std::vector<float>& weights, std::size_t units);

}  // namespace hyperfd
