#pragma once

#include <string>
#include <vector>

#include "trial/training/trainer.h"

namespace hyperfd {

// Draws the loss of every epoch and the AP of every validation into a PNG. Replaces the file atomically. Throws Error
// that names it.
void draw_curves(const std::vector<EpochReport>& epochs, const std::string& picture_file);

}  // namespace hyperfd
