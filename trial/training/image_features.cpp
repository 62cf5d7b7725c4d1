#include "trial/training/image_features.h"

#include <array>
#include <memory>

#include "trial/data/image_source.h"
#include "trial/data/image_statistics.h"
#include "trial/training/detect.h"
#include "trial/training/initial_weights.h"
#include "trial/training/weights_file.h"
#include "tuner/base/error.h"

namespace hyperfd {
namespace {

constexpr std::array<const char*, 3> kStrides = {"8", "16", "32"};

std::vector<float> spatial_means(const torch::Tensor& maps) {
  const torch::Tensor means = maps.mean({0, 2, 3}).to(torch::kCPU, torch::kFloat).contiguous();
  return {means.data_ptr<float>(), means.data_ptr<float>() + means.numel()};
}

std::shared_ptr<Backbone> backbone_of(const RetinaFace& network) {
  return std::dynamic_pointer_cast<Backbone>(network->named_children()["body"]);
}

class Features {
 public:
  void add(const std::string& name, std::vector<float> numbers) {
    for (FeatureSource& source : sources_) {
      if (source.name == name) {
        source.features.push_back(std::move(numbers));
        return;
      }
    }
    sources_.push_back({name, {std::move(numbers)}});
  }
  void add(const std::string& name, const std::array<torch::Tensor, 3>& levels) {
    for (std::size_t i = 0; i < levels.size(); ++i) add(name + kStrides[i], spatial_means(levels[i]));
  }
  std::vector<FeatureSource> take() { return std::move(sources_); }

 private:
  std::vector<FeatureSource> sources_;
};

}  // namespace

std::shared_ptr<Backbone> load_classifier(const std::string& weights) {
  Recipe recipe;
  recipe.backbone = "mobilenet_v1_x0.25";
  recipe.weights = weights;
  Weights initial;
  const RetinaFace network = folded_twin(initial_network(recipe, 1, initial));
  return backbone_of(network);
}

std::vector<FeatureSource> image_features(const FaceDataset& dataset, const std::string& detector,
                                          const std::string& classifier, torch::Device device,
                                          const std::function<void(std::size_t)>& progress) {
  torch::NoGradGuard no_gradient;
  Recipe recipe = load_recipe("mini", {});
  RetinaFace network{nullptr};
  std::shared_ptr<Backbone> classifier_network;
  if (!detector.empty()) {
    TrainedDetector trained = load_trained_detector(detector);
    recipe = trained.recipe;
    network = trained.network;
    network->to(device);
  }
  if (!classifier.empty()) {
    classifier_network = load_classifier(classifier);
    classifier_network->to(device);
  }
  Features features;
  std::size_t done = 0;
  for (const AnnotatedImage& image : dataset.images()) {
    const cv::Mat original = read_pixels(dataset.folder(), image);
    check_detectable(original.size(), recipe, dataset.folder() + "/" + image.file);
    cv::Mat pixels = resize_for_evaluation(original, recipe);
    if (!pixels.isContinuous()) pixels = pixels.clone();
    const torch::Tensor input =
        normalise_pixels(torch::from_blob(pixels.data, {1, pixels.rows, pixels.cols, 3}, torch::kByte), device);
    if (network) {
      features.add("backbone", backbone_of(network)->forward(input));
      features.add("context", network->context_features(input));
    }
    if (classifier_network) features.add("classifier", classifier_network->forward(input));
    features.add("labels", label_statistics(image.faces, original.size()));
    features.add("colour", colour_statistics(pixels));
    features.add("gradient", gradient_statistics(pixels));
    if (progress) progress(++done);
  }
  return features.take();
}

}  // namespace hyperfd
