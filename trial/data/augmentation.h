#pragma once

#include <vector>

#include <opencv2/core/mat.hpp>

#include "trial/evaluation/detection.h"
#include "tuner/base/rng.h"

namespace hyperfd {

struct AugmentationOptions {
  int crop_size = 640;  // pixels; output is crop_size × crop_size
  float minimum_crop_ratio =
      0.3f;                       // smallest crop as a fraction of the shorter side (the HPO space's "min crop ratio")
  float flip_probability = 0.5f;  // horizontal; landmarks swap sides
  bool colour = true;             // brightness, contrast, saturation, hue as in RetinaFace
};

// RetinaFace's training augmentation (RetinaFace §4.2; Pytorch_Retinaface's settings) on 8-bit pixels.
// Square crops of {0.3, 0.45, 0.6, 0.8, 1} of the shorter side, those under minimum_crop_ratio replaced by it (each
// ratio once, all equally likely), so that raising the minimum narrows the range of scales and lowering it to 0.3 gives
// the original.

// The crop's square: the first of 50 random ones that holds a whole face that counts; any, if the image has no such
// face. When none of 50 does (a face larger than the shorter side), the longer side's square, which reaches over the
// image's edge.
cv::Rect choose_crop(cv::Size image, const std::vector<Face>& faces, float minimum_crop_ratio, Rng& rng);

// Faces whose centre lies in `crop`, and ignored regions that reach into it, so that what is not labelled there does
// not become background; clipped to it, in pixels of the crop resized to crop_size. A face with a landmark outside
// keeps none, since clipped landmarks would be wrong ones. Faces that are left with less than a pixel on either side
// are dropped.
std::vector<Face> faces_in_crop(const std::vector<Face>& faces, const cv::Rect& crop, int crop_size);

// Mirrors boxes and landmarks in an image of the given width; left and right landmarks change places.
void flip_faces(std::vector<Face>& faces, float width);

// Random brightness (± 32), contrast and saturation (× 0.5 … 1.5) and hue (± 18 of 180), each with probability ½;
// contrast before or after the others. In place.
void distort_colour(cv::Mat& pixels, Rng& rng);

// All of it: crop, colour, flip and resizing with an interpolation drawn from OpenCV's five. Colour and flip act on the
// crop or on the output, whichever has fewer pixels; never on the whole image. `output` is crop_size × crop_size, BGR,
// written in place when it has that size; what of it lies outside the image has the mean colour of ImageNet. `image` is
// not written to.
void augment(const cv::Mat& image, const std::vector<Face>& faces, const AugmentationOptions& options, Rng& rng,
             cv::Mat& output, std::vector<Face>& output_faces);

}  // namespace hyperfd
