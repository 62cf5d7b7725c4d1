#pragma once

#include <vector>

#include <torch/torch.h>

#include "trial/detector/options.h"
#include "trial/evaluation/detection.h"

namespace hyperfd {

// The faces of a batch, padded to the image with the most (at least 1). Pixels.
struct FaceTensors {
  torch::Tensor boxes;          // [batch, faces, 4] float: left, top, right, bottom; zeros where padded
  torch::Tensor landmarks;      // [batch, faces, 10] float: x, y of five points; zeros where absent
  torch::Tensor present;        // [batch, faces] bool: to be found
  torch::Tensor ignored;        // [batch, faces] bool: neither to be found nor background
  torch::Tensor has_landmarks;  // [batch, faces] bool

  FaceTensors to(torch::Device device) const;
};
// On the CPU.
FaceTensors pack_faces(const std::vector<std::vector<Face>>& faces);

// Which anchor stands for which face.
struct Matches {
  torch::Tensor labels;  // [batch, anchors] int64: 1 face, 0 background, −1 ignored
  torch::Tensor face;    // [batch, anchors] int64: index into FaceTensors of the face the anchor overlaps most;
                         // meaningful where the label is 1

  Matches to(torch::Device device) const { return {labels.to(device), face.to(device)}; }
};

// Everything on the CPU; anchors as make_anchors() gives them. An anchor becomes the face that it overlaps most, if by
// at least `positive_iou`; and each face gets its best anchor anyway, if it overlaps that by `minimum_best_iou`.
// Anchors between the thresholds, and those that lie mostly on an ignored face, are ignored. Ties: the first face of an
// anchor, the last face that claims the same best anchor. (In Pytorch_Retinaface a face that overlaps its best anchor
// by less still takes it from a face that overlaps it by more, without making it a positive.)
Matches match(const torch::Tensor& anchors, const FaceTensors& faces, const MatchingOptions& options);

}  // namespace hyperfd
