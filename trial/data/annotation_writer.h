#pragma once

#include <string>
#include <vector>

#include "trial/data/face_dataset.h"

namespace hyperfd {

// The content of an annotations.json that read_annotations() reads back bit for bit: COCO detection with the one
// category face and its five keypoints; faces to ignore have iscrowd 1. Images keep their ids if all have one (each a
// different one), else are numbered from 1. Throws InputError for a file name that JSON cannot hold (not UTF-8).
std::string annotations_json(const std::vector<AnnotatedImage>& images);

// Writes it atomically. Throws Error that names the file.
void write_annotations(const std::string& file, const std::vector<AnnotatedImage>& images);

// Whether JSON can hold the text.
bool is_utf8(const std::string& text);

}  // namespace hyperfd
