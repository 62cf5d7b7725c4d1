#pragma once

#include <vector>

#include "trial/evaluation/detection.h"
#include "trial/evaluation/matching.h"

namespace hyperfd {

// AP at one IoU threshold, as MMDetection's eval_map computes it in its `area` mode: within an image each detection,
// best score first, belongs to the face it overlaps most (match_to_best_truth() in matching.h says how it counts); then
// the area under the precision envelope over recall, all images' detections sorted by score. Faces with a side under
// `minimum_size` pixels are ignored. Detections that match an ignored face, or that have such a side and match nothing,
// which is our rule, not MMDetection's, count neither way. In [0, 1]; 0 when there is no face to find. detections[i]
// and faces[i] belong to image i. Throws InputError when the two differ in length or a score is not a number.
double average_precision(const std::vector<std::vector<Detection>>& detections,
                         const std::vector<std::vector<Face>>& faces, float iou_threshold = 0.5f,
                         float minimum_size = 0.0f);

// The same on boxes in double precision.
double average_precision(const std::vector<ImageBoxes>& images, double iou_threshold = 0.5, double minimum_size = 0);

// Puts the two lists together, image by image. Throws InputError when they differ in length.
std::vector<ImageBoxes> image_boxes(const std::vector<std::vector<Detection>>& detections,
                                    const std::vector<std::vector<Face>>& faces);

}  // namespace hyperfd
