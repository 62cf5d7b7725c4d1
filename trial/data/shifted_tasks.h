#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "trial/data/derived_dataset.h"

namespace hyperfd {

struct ShiftedTaskOptions {
  int tasks = 60;
  int fewest_images = 150, most_images = 300;  // of a task; fewer if the source has no more
  std::vector<std::string> kinds;              // of shifts to draw from; empty: all
  std::uint64_t seed = 1;
};

struct ShiftedTask {
  std::string name;  // "07_rotate_grey"
  DerivedDescription description;
};

// Data sets that are far from their source: each is one shift or two of random strength on random images. Every kind
// comes first in about equally many tasks. `images` are those of `source`, a data set's folder. Throws InputError for
// an unknown kind and for options out of range.
std::vector<ShiftedTask> draw_shifted_tasks(const std::string& source, const std::vector<AnnotatedImage>& images,
                                            const ShiftedTaskOptions& options);

}  // namespace hyperfd
