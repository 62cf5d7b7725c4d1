#pragma once

#include <cstddef>

#include "trial/training/recipe.h"

namespace hyperfd::commands {

// Milliseconds an image on the CPU, medians.
struct TrainingProfile {
  double step = 0;    // all of it: network, matching, loss, gradient, optimiser
  double losses = 0;  // of it matching and loss, from the network's output to the gradient there
};

// Times training steps on made-up crops of the recipe's size with `faces` faces each. Weights are random: they do not
// change the time.
TrainingProfile profile_training(const Recipe& recipe, std::size_t faces, int runs);

}  // namespace hyperfd::commands
