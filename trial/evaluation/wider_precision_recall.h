#pragma once

#include <vector>

#include "trial/evaluation/precision_recall.h"

namespace hyperfd {

// Precision and recall as WIDER FACE's official evaluation has them (its wider_eval.m, and Pytorch_Retinaface's
// widerface_evaluate/evaluation.py): scores are normalised to [0, 1] over all images, and there is one point for each
// of 1,000 thresholds from 0.999 down to 0. A detection belongs to the face it overlaps most, with edges of whole
// pixels (right = x + width + 1); from IoU 0.5 on it finds that face or, if the face is ignored, does not count. A
// second detection of a face is wrong. Detections on images without any face, ignored ones included, are not looked at.
//
// Where nothing counts yet, precision is 0. When all scores are equal they are taken as 1. Empty when there is no face
// to find. Faces with a side under `minimum_size` pixels are ignored, too. AP is area_under_envelope() of this. Throws
// InputError when a score is not a number.
PrecisionRecall wider_precision_recall(const std::vector<ImageBoxes>& images, double minimum_size = 0);

}  // namespace hyperfd
