#pragma once

#include <string>
#include <vector>

#include "trial/describe/image_describer.h"

namespace hyperfd {

struct Statistic {
  std::string name;
  double value = 0;
};

// kLogImages, kLogBoxes: how large the data set is; boxes to ignore do not count.
std::vector<Statistic> size_statistics(const std::vector<ImageDescription>& images);

// What the untuned detector makes of the data set, and what its labels look like: AP@50 and the mean loss of each term
// as training would have them, shares of images by their number of faces, shares of faces by size. All of them from
// sums, so the order of images does not matter beyond rounding.
std::vector<Statistic> landmark_statistics(const std::vector<ImageDescription>& images);

}  // namespace hyperfd
