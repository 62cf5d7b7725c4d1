#pragma once

#include <string>
#include <vector>

namespace hyperfd {

// What the detector is. Two networks with equal options have the same tensors under the same names.
struct DetectorOptions {
  std::string backbone = "mobilenet_v2_x0.5";  // as in tuner/space/backbones.h
  int channels = 80;  // width of the feature pyramid and of the context modules; a multiple of 4
  // Side of the square anchors in pixels, two for each of the strides 8, 16 and 32, finest first.
  std::vector<int> anchor_sizes = {16, 32, 64, 128, 256, 512};
  bool folded = false;  // without batch norms, convolutions with biases instead (folding.h)
};

// The width where nothing states another: the public RetinaFace's for its backbone, the paper's for others.
inline int default_channels(const std::string& backbone) {
  return backbone == "mobilenet_v1_x0.25" ? 64 : 80;
}

// Which anchors are faces (RetinaFace §3.1, thresholds as a configuration sets them).
struct MatchingOptions {
  float positive_iou = 0.35f;   // an anchor at or above is a face
  float negative_iou = 0.225f;  // an anchor below is background; between the two it is ignored
  // A face takes its best anchor even below `positive_iou`, unless no anchor overlaps it by this much: then there is
  // nothing to learn from it (as in Pytorch_Retinaface).
  float minimum_best_iou = 0.2f;
};

// The paper's rule: negative threshold = positive / 2 + 0.05.
inline float negative_iou_of(float positive_iou) {
  return positive_iou / 2 + 0.05f;
}

struct LossOptions {
  float negative_ratio = 7;  // hard negatives per positive, counted image by image
  int minimum_negatives =
      0;  // hard negatives in an image with fewer; 0 as RetinaFace, more to learn from images without faces
  float location_weight = 2;  // of the box term
  float landmark_weight = 1;  // of the landmark term
};

struct DecodingOptions {
  float score_threshold = 0.02f;  // weaker detections are dropped
  float nms_iou = 0.4f;           // of two detections that overlap more, the weaker is dropped
  int candidates = 2000;          // strongest ones that enter non-maximum suppression
  int maximum = 300;              // detections kept in an image
};

}  // namespace hyperfd
