#pragma once

#include <cstddef>
#include <functional>
#include <string>

#include "trial/data/face_dataset.h"

namespace hyperfd {

// Makes a data set folder of its own of any data set, derived ones above all: images (JPEG files at quality 95),
// annotations.json, and splits.json if the split does not follow from the file names. `out` is new or empty. Unreadable
// images are left out and counted in `warnings`. `progress` hears how many are done. Returns the number of images.
// Throws InputError.
std::size_t materialise(const FaceDataset& dataset, const std::string& out, Warnings& warnings,
                        const std::function<void(std::size_t)>& progress = {});

}  // namespace hyperfd
