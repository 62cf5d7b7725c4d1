#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "trial/data/face_dataset.h"
#include "trial/describe/anchor_pooling.h"
#include "tuner/base/json.h"

namespace hyperfd {

// How the untuned detector does on one image, summed so that images can be added up.
struct DetectorOutcome {
  float class_loss = 0, box_loss = 0, landmark_loss = 0;    // sums over anchors
  std::uint32_t matched_anchors = 0, landmark_anchors = 0;  // what the sums are divided by
  std::uint32_t faces = 0;                                  // that count for AP
  std::vector<std::pair<float, bool>> detections;           // score, whether it is a face; ignored ones left out
};

struct ImageDescription {
  std::vector<float> features;    // float16 can hold them
  std::vector<float> face_sizes;  // √area relative to the image's shorter side, of the faces that are not ignored
  DetectorOutcome outcome;        // of a detector that was asked for it; empty else
};

// A frozen network: one image with its labels → numbers. Thread-safe; a call computes on the calling thread.
class ImageDescriber {
 public:
  virtual ~ImageDescriber() = default;

  // Everything the numbers depend on except the image: weights, network, options, version of the code.
  virtual Json identity() const = 0;
  virtual std::int64_t size() const = 0;  // features of an image
  // Throws InputError that names the file when the image cannot be read.
  virtual ImageDescription describe(const std::string& folder, const AnnotatedImage& image) = 0;
};

// Sizes of the faces of an image of that size.
std::vector<float> face_sizes(const std::vector<Face>& faces, int width, int height);

// A RetinaFace's context modules at the size of evaluation, pooled; with its outcome if asked for. Throws InputError
// that names the file.
std::unique_ptr<ImageDescriber> detector_describer(const std::string& weights_file, const PoolingOptions& options,
                                                   bool outcome);

// A generic classifier's features instead, without labels or anchors. A TorchScript file: what it puts out for the
// image as torchvision's classifiers want it (224×224 RGB, ImageNet's mean and deviation), averaged over space where
// there is some; the file's code runs. Or weights of a mobilenet_v1_x0.25 backbone, as `import-weights` writes them:
// the spatial means of its three levels, at the size of evaluation. Throws InputError that names the file.
std::unique_ptr<ImageDescriber> classifier_describer(const std::string& file);

}  // namespace hyperfd
