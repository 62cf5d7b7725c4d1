#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "trial/data/face_dataset.h"

namespace hyperfd {

// One way to sort a data set's images into groups.
struct Clustering {
  std::string name;         // "colour_kmeans_k3"
  std::vector<int> labels;  // of each image; < 0: in no group
};

// A group that is a data set of its own.
struct Subset {
  std::string name;                 // "colour_kmeans_k3_c0"
  std::vector<std::size_t> images;  // ascending
};

struct SubsetOptions {
  // The paper keeps subsets of WIDER FACE's 32,203 images with at least 800 images, that leave out at least 800.
  std::size_t minimum = 0;         // images; 0: as large a share of the source as in the paper, but at least 100
  double split_tolerance = 0.5;    // a split's share may differ from its share of the source by this much of it
  double duplicate_overlap = 0.8;  // a subset with at least this intersection over union with an earlier one is dropped
  std::size_t most_images = 0;     // a random sample of larger subsets; 0: all
  std::size_t most_subsets = 0;    // a random choice of the subsets; 0: all
  std::uint64_t seed = 1;
};

struct SubsetCounts {
  std::size_t groups = 0, wrong_size = 0, unbalanced = 0, duplicates = 0;
};

// Appendix B.4: the groups of all clusterings that are large and small enough, whose split is about the source's, and
// that no earlier group nearly equals. Throws InputError for labels that do not fit the images.
std::vector<Subset> choose_subsets(const std::vector<AnnotatedImage>& images,
                                   const std::vector<Clustering>& clusterings, const SubsetOptions& options,
                                   SubsetCounts& counts);

// options.minimum, or what it stands for.
std::size_t smallest_subset(std::size_t images, const SubsetOptions& options);

}  // namespace hyperfd
