#include <opencv2/imgproc.hpp>
#include <torch/script.h>

#include "trial/data/image_source.h"
#include "trial/describe/image_describer.h"
#include "trial/describe/weights_digest.h"
#include "trial/training/detect.h"
#include "trial/training/image_features.h"
#include "trial/training/weights_file.h"
#include "tuner/base/digest.h"
#include "tuner/base/error.h"
#include "tuner/base/files.h"
#include "tuner/ranker/dataset_features.h"

namespace hyperfd {
namespace {

constexpr int kVersion = 1;
constexpr int kSide = 224;

ImageDescription description_of(const torch::Tensor& features, const std::vector<Face>& faces, const cv::Mat& image) {
  const torch::Tensor numbers = to_half_precision(features.to(torch::kFloat).flatten()).contiguous();
  return {{numbers.data_ptr<float>(), numbers.data_ptr<float>() + numbers.numel()},
          face_sizes(faces, image.cols, image.rows),
          {}};
}

class BackboneDescriber : public ImageDescriber {
 public:
  explicit BackboneDescriber(const std::string& file)
      : backbone_(load_classifier(file)),
        recipe_(load_recipe("mini", {})),
        digest_(weights_digest(load_weights(file))) {}

  Json identity() const override {
    return {{"kind", "backbone"},
            {"version", kVersion},
            {"weights", digest_},
            {"evaluation_side", recipe_.evaluation_side}};
  }
  std::int64_t size() const override {
    std::int64_t sum = 0;
    for (const int channels : backbone_->channels()) sum += channels;
    return sum;
  }
  ImageDescription describe(const std::string& folder, const AnnotatedImage& image) override {
    const torch::NoGradGuard no_gradient;
    Sample seen = read_for_evaluation(folder, image, recipe_);
    if (!seen.image.isContinuous()) seen.image = seen.image.clone();
    const torch::Tensor pixels =
        torch::from_blob(seen.image.data, {1, seen.image.rows, seen.image.cols, 3}, torch::kByte);
    std::vector<torch::Tensor> means;
    for (const torch::Tensor& map : backbone_->forward(normalise_pixels(pixels, torch::kCPU)))
      means.push_back(map.mean({0, 2, 3}));
    return description_of(torch::cat(means), seen.faces, seen.image);
  }

 private:
  std::shared_ptr<Backbone> backbone_;
  Recipe recipe_;
  std::string digest_;
};

// [1, 3, kSide, kSide] as torchvision's classifiers are fed.
torch::Tensor classifier_input(const cv::Mat& image) {
  cv::Mat small;
  cv::resize(image, small, {kSide, kSide}, 0, 0, cv::INTER_AREA);
  const torch::Tensor bgr = torch::from_blob(small.data, {kSide, kSide, 3}, torch::kByte).to(torch::kFloat) / 255;
  const torch::Tensor mean = torch::tensor({0.485f, 0.456f, 0.406f}),
                      deviation = torch::tensor({0.229f, 0.224f, 0.225f});
  return ((bgr.flip(2) - mean) / deviation).permute({2, 0, 1}).unsqueeze(0).contiguous();
}

class TorchScriptDescriber : public ImageDescriber {
 public:
  TorchScriptDescriber(const std::string& file, const std::string& bytes) : file_(file), digest_(sha256(bytes)) {
    const torch::NoGradGuard no_gradient;
    try {
      module_ = torch::jit::load(file, torch::kCPU);
      module_.eval();
    } catch (const c10::Error& error) {
      throw InputError(file + ": expected a TorchScript file: " + error.what_without_backtrace());
    }
    size_ = features_of(torch::zeros({1, 3, kSide, kSide})).numel();
    if (size_ < 1 || size_ > DatasetFeatures::kMaxFeatures)
      throw InputError(file + ": puts out " + std::to_string(size_) + " features of an image, expected 1 … " +
                       std::to_string(DatasetFeatures::kMaxFeatures));
  }

  Json identity() const override { return {{"kind", "torchscript"}, {"version", kVersion}, {"weights", digest_}}; }
  std::int64_t size() const override { return size_; }
  ImageDescription describe(const std::string& folder, const AnnotatedImage& image) override {
    const torch::NoGradGuard no_gradient;
    const cv::Mat pixels = read_pixels(folder, image);
    const torch::Tensor features = features_of(classifier_input(pixels));
    if (features.numel() != size_) throw InputError(file_ + ": puts out another number of features now and then");
    return description_of(features, image.faces, pixels);
  }

 private:
  torch::Tensor features_of(const torch::Tensor& input) {
    try {
      const torch::Tensor output = module_.forward({input}).toTensor();
      if (!output.isfinite().all().item<bool>()) throw InputError(file_ + ": puts out a number that is not finite");
      return output.dim() == 4 ? output.mean({2, 3}) : output;
    } catch (const c10::Error& error) {
      throw InputError(file_ + ": expected a network of one image, [1, 3, 224, 224], with one tensor: " +
                       std::string(error.what_without_backtrace()).substr(0, 200));
    }
  }

  std::string file_, digest_;
  torch::jit::Module module_;
  std::int64_t size_ = 0;
};

}  // namespace

std::unique_ptr<ImageDescriber> classifier_describer(const std::string& file) {
  const std::string bytes = read_file(file);
  // Only TorchScript archives have constants.
  if (bytes.find("/constants.pkl") != std::string::npos) return std::make_unique<TorchScriptDescriber>(file, bytes);
  return std::make_unique<BackboneDescriber>(file);
}

}  // namespace hyperfd
