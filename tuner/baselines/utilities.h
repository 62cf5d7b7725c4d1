#pragma once

#include <vector>

#include "tuner/platform/past_experience.h"

namespace hyperfd {

// How good configurations are for a past task, from 0 to 1: 1 − relative rank of what it tried, and for the rest the
// share of the task's results that the median of a Gaussian process of them is better than.
std::vector<double> utilities_on(const PastTask& task, const std::vector<ConfigurationKey>& keys,
                                 const std::vector<std::vector<float>>& encodings);

}  // namespace hyperfd
