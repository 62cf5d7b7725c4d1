#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "trial/evaluation/detection.h"

namespace hyperfd {

// Counted notes on input that was repaired or skipped: each kind keeps its first few examples by name.
class Warnings {
 public:
  void add(const std::string& kind, const std::string& example);
  bool empty() const { return kinds_.empty(); }
  // One line a kind: `3 boxes outside their image, clipped (e.g. images/a.jpg: annotation 17)`.
  std::vector<std::string> lines() const;

 private:
  struct Entry {
    std::size_t count = 0;
    std::vector<std::string> examples;
  };
  std::map<std::string, Entry> kinds_;
};

enum class Split { kTrain, kValidation, kTest };

struct AnnotatedImage {
  std::string file;  // as written in annotations.json, relative to the data set's folder
  int width = 0, height = 0;  // pixels, as annotated; 0 when the annotation does not say
  std::vector<Face> faces;
  Split split = Split::kTrain;
};

// A data set folder in our format: annotations.json (COCO detection, optional 5 keypoints, iscrowd = ignore), images/, and
// optionally splits.json ({"train": [file names], "val": […], "test": […]}). Without it the 6:1:3 split follows from a hash of the file name.
class FaceDataset {
 public:
  // Reads annotations only, no pixels. Throws InputError that names file, field and value; repairs what can be repaired
  // (boxes clipped to the image, empty boxes dropped) and counts it in `warnings`.
  static FaceDataset load(const std::string& folder, Warnings& warnings);

  const std::string& folder() const { return folder_; }
  const std::vector<AnnotatedImage>& images() const { return images_; }
  // The images of one split. Throws InputError when there is none: a trial cannot train, validate or test on nothing.
  std::vector<AnnotatedImage> split(Split which) const;

 private:
  std::string folder_;
  std::vector<AnnotatedImage> images_;
};

// The split an image belongs to when no splits.json says otherwise: 6:1:3 by a hash of the file's name (without folders).
Split split_of(const std::string& file);

}  // namespace hyperfd
