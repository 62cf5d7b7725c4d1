#pragma once

#include <optional>
#include <string>
#include <vector>

#include "trial/data/warnings.h"
#include "trial/evaluation/detection.h"

namespace hyperfd {

// A face as a label file has it.
struct LabelledFace {
  Face face;
  std::string place;  // for messages: `labels.txt:17`
};

// An image as a label file has it; whether the image exists is not looked at.
struct LabelledImage {
  // Names relative to the images' folder, tried in this order; one without an image's ending stands for all endings.
  std::vector<std::string> names;
  std::string place;
  std::vector<LabelledFace> faces;
  bool is_relative = false;   // boxes are fractions of the image's width and height, not pixels
  int width = 0, height = 0;  // pixels, as labelled; 0 when the labels do not say
};

// A way in which others write face labels.
struct LabelFormat {
  const char* name;
  const char* description;
  // Whether `source` looks like it. Does not throw.
  bool (*recognises)(const std::string& source);
  // Reads the labels of a file or folder; `categories` says which objects are faces, where the format has several
  // kinds. What is skipped is counted in `warnings`. Throws InputError, naming file, line and value, where reading on
  // would give boxes to the wrong images.
  std::vector<LabelledImage> (*read)(const std::string& source, const std::vector<std::string>& categories,
                                     Warnings& warnings);
};

// wider, retinaface, voc and yolo.
const std::vector<LabelFormat>& label_formats();
// Throws InputError for an unknown name; for "auto", when no format recognises `source`. Does not read it otherwise.
const LabelFormat& choose_label_format(const std::string& name, const std::string& source);

bool is_wider_file(const std::string& source);
std::vector<LabelledImage> read_wider_labels(const std::string& source, const std::vector<std::string>& categories,
                                             Warnings& warnings);
bool is_retinaface_file(const std::string& source);
std::vector<LabelledImage> read_retinaface_labels(const std::string& source, const std::vector<std::string>& categories,
                                                  Warnings& warnings);
bool is_voc_folder(const std::string& source);
std::vector<LabelledImage> read_voc_labels(const std::string& source, const std::vector<std::string>& categories,
                                           Warnings& warnings);
bool is_yolo_folder(const std::string& source);
std::vector<LabelledImage> read_yolo_labels(const std::string& source, const std::vector<std::string>& categories,
                                            Warnings& warnings);

// What the readers share.

// Files below `folder` that end in `ending` (".xml"), relative to it, sorted. Throws InputError when it is no folder.
std::vector<std::string> files_below(const std::string& folder, const std::string& ending);
// The first line of a text file that is not blank; "" when there is none or it cannot be read.
std::string first_line(const std::string& file);

}  // namespace hyperfd
