#pragma once

#include <string>
#include <vector>

#include "trial/data/face_dataset.h"

namespace hyperfd {

// Reads folder/annotations.json: COCO detection with `images` (id, file_name; width and height if known) and
// `annotations` (image_id, bbox; keypoints of 5 points, iscrowd and category_id if there). The category named "face"
// counts, or the only one, or category 1 where none is listed. file_name is relative to the folder, or to its images/
// as plain COCO files have it.
//
// Repaired and counted in `warnings`: boxes that reach over the image's edge by more than half a pixel (clipped), boxes
// outside it or of no size or with numbers that are none, as null, NaN or Infinity (dropped), annotations of other
// categories or of unknown images (dropped), repeated ids (the first image stays; annotations all stay), images whose
// file is missing (dropped). Landmarks are taken where all five are annotated.
//
// Throws InputError, naming place and value, for what cannot be meant: `annotations.json: annotations[17].bbox:
// expected 4 numbers, got "a"`, a file_name that leaves the folder, a file without a single image that exists, several
// categories of which none is named "face". Images without faces are normal. The split is left at kTrain.
std::vector<AnnotatedImage> read_annotations(const std::string& folder, Warnings& warnings);

}  // namespace hyperfd
