#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "trial/data/face_dataset.h"

namespace hyperfd {

// Image id, as AnnotatedImage::id has it → what a detector found there, in the file's order.
using DetectionsOfImages = std::unordered_map<std::string, std::vector<Detection>>;

// Reads detections of `images` in COCO's result format, a list of {image_id, bbox, score}; `keypoints` of five points
// if there. category_id is not looked at: every entry is a face. Boxes are clipped to their image. Entries of unknown
// images and boxes that cannot be meant are dropped and counted. Throws InputError that names file, entry and value for
// what is not in that format, and when no entry belongs to any of the images.
DetectionsOfImages read_coco_results(const std::string& file, const std::vector<AnnotatedImage>& images,
                                     Warnings& warnings);

}  // namespace hyperfd
