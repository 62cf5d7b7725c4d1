#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "trial/data/face_dataset.h"
#include "trial/data/import/label_format.h"

namespace hyperfd {

struct ImportOptions {
  std::string images;  // the folder that image names start from
  std::string out;     // the data set to make; nothing may be there yet but an empty folder
  bool copy = false;   // images are copied; else linked, hard where the file system can, else symbolically
};

// Where label files of all formats usually have their images, seen from `source`: the first of these folders in which
// some of the images are. Throws InputError that names the folders when there is none.
std::string find_images_folder(const std::string& source, const std::vector<LabelledImage>& images);

// Makes a data set folder in our format: images/ with the sub-folders they had, and annotations.json, written last.
// Every image is decoded for its size, and so that no broken one gets in. Skipped or repaired, and counted in
// `warnings`: images that are missing, unreadable, named twice, or outside options.images; boxes as in usable_box().
// `progress` is called after each image with the number of images done. Returns what it wrote. Throws InputError when
// no image is left or `out` is not empty, Error when it cannot be written.
std::vector<AnnotatedImage> import_images(const std::vector<LabelledImage>& images, const ImportOptions& options,
                                          Warnings& warnings, const std::function<void(std::size_t)>& progress);

}  // namespace hyperfd
