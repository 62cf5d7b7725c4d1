#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "trial/data/face_dataset.h"
#include "trial/detector/backbone.h"
#include "trial/training/trained_detector.h"

namespace hyperfd {

// One kind of features of all images of a data set, for clustering.
struct FeatureSource {
  std::string name;
  std::vector<std::vector<float>> features;  // of each image, equally many
};

// The backbone alone of weights of a mobilenet_v1_x0.25 classifier, as `import-weights` writes them; batch norms
// folded, in evaluation mode. Throws InputError.
std::shared_ptr<Backbone> load_classifier(const std::string& weights);

// What tells images apart (Appendix B.4): spatial means of the detector's backbone and context modules at each of its
// strides, those of a classifier's backbone, and statistics of labels, colours and gradients. Images are resized as for
// the detector's evaluation. Throws InputError when an image cannot be read. `progress` hears how many are done.
//
// detector, classifier: weights; "" leaves their sources out. The classifier's are of a mobilenet_v1_x0.25 backbone
// alone, as `import-weights` writes them.
std::vector<FeatureSource> image_features(const FaceDataset& dataset, const std::string& detector,
                                          const std::string& classifier, torch::Device device,
                                          const std::function<void(std::size_t)>& progress);

}  // namespace hyperfd
