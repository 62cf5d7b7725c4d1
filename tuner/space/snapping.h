#pragma once

#include "tuner/space/search_space.h"

namespace hyperfd {

// Quantised numbers as the space itself writes them: 0.30000000000000004 for the 0.3 that somebody typed for 3 · 0.1.
// Without it one configuration has two fingerprints. What is no value of the space stays as it is.
Configuration snapped(const SearchSpace& space, Configuration configuration);

}  // namespace hyperfd
