#pragma once

#include <functional>
#include <string>
#include <vector>

#include <opencv2/core/mat.hpp>

#include "trial/data/split.h"
#include "trial/data/warnings.h"
#include "trial/evaluation/detection.h"

namespace hyperfd {

struct AnnotatedImage {
  std::string file;           // relative to the data set's folder
  int width = 0, height = 0;  // pixels, as annotated; 0 when the annotation does not say
  std::vector<Face> faces;
  Split split = Split::kTrain;
  std::string id;  // in annotations.json, as JSON text; "" when the image comes from elsewhere
  // Of a derived data set: makes the pixels, which are not those of `file`. Thread-safe. Throws InputError.
  std::function<cv::Mat()> make_pixels;
  std::string derivation;  // same text, same pixels of the same file
};

// By the folder's splits.json, where it has one: its split of each image, and none that it does not mention.
std::vector<AnnotatedImage> in_splits(const std::string& folder, std::vector<AnnotatedImage> images,
                                      Warnings& warnings);

// A data set folder in our format: annotations.json (COCO detection, optional 5 keypoints, iscrowd = ignore), images/,
// and optionally splits.json ({"train": [file names], "val": […], "test": […]}). Without it the 6:1:3 split follows
// from a hash of the file name. Or a folder with derived.json (derived_dataset.h). Pixels: read_pixels().
class FaceDataset {
 public:
  // Reads annotations only, no pixels. Throws InputError that names file, field and value; repairs what can be repaired
  // (boxes clipped to the image, empty boxes and missing images dropped, …: read_annotations() lists all) and counts it
  // in `warnings`.
  static FaceDataset load(const std::string& folder, Warnings& warnings);

  const std::string& folder() const { return folder_; }
  // In the order of annotations.json; without those that splits.json does not mention.
  const std::vector<AnnotatedImage>& images() const { return images_; }
  // The images of one split. Throws InputError when there is none: a trial cannot train, validate or test on nothing.
  std::vector<AnnotatedImage> split(Split which) const;
  // The images of one split, possibly none.
  std::vector<AnnotatedImage> all_of(Split which) const;

 private:
  std::string folder_;
  std::vector<AnnotatedImage> images_;
};

}  // namespace hyperfd
