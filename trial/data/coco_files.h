#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "trial/data/warnings.h"
#include "trial/evaluation/matching.h"

namespace hyperfd {

// A COCO detection file's truths as they stand there, for evaluation: boxes are neither clipped nor dropped, and no
// image file need exist (read_annotations() is for training).
struct CocoTruths {
  std::string file;                                    // where they come from, for messages
  std::vector<ImageBoxes> images;                      // without detections, by ascending id as in pycocotools
  std::vector<std::string> ids, file_names;            // beside images; ids as JSON text, names "" if not given
  std::vector<std::pair<int, int>> sizes;              // width and height, 0 where they are not given
  std::unordered_map<std::string, std::size_t> by_id;  // index in images
  std::unordered_map<std::string, std::size_t> by_name;
  std::string face_category;  // its id as JSON text
};

// Repaired and counted in `warnings`: annotations of other categories than face and of unknown images, boxes with
// numbers that are none (dropped), repeated image ids (merged). iscrowd = ignored. Throws InputError that names place
// and value.
CocoTruths read_coco_truths(const std::string& file, Warnings& warnings);

// Adds the detections of a COCO results file to the images of `truths`; those of other categories are dropped and
// counted, images without detections are normal. Throws InputError: `d.json: [17].bbox: expected 4 numbers, got
// [1,2,3]`, or for an image_id that `truths` does not have.
void read_coco_detections(const std::string& file, CocoTruths& truths, Warnings& warnings);

}  // namespace hyperfd
