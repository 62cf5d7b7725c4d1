#include "trial/describe/describe.h"

#include <cmath>

#include <ATen/CPUGeneratorImpl.h>
#include <gmock/gmock.h>
#include <torch/script.h>

#include "tests/message_of.h"
#include "tests/trial/training/square_faces.h"
#include "trial/describe/feature_cache.h"
#include "trial/detector/anchors.h"
#include "trial/detector/multibox_loss.h"
#include "trial/training/evaluator.h"
#include "trial/training/trained_detector.h"
#include "trial/training/weights_file.h"

namespace hyperfd {
namespace {

using ::testing::HasSubstr;

class DescribedImages : public ::testing::Test {
 protected:
  DescribedImages() : faces_("hyperfd_describe", 12, 0, 0), weights_(faces_.folder() + "/weights.pt") {
    save(weights_, SquareFaces::recipe(), 1);
    Warnings warnings;
    images_ = FaceDataset::load(faces_.folder(), warnings).images();
  }

  static void save(const std::string& file, const Recipe& recipe, std::uint64_t seed) {
    RetinaFace network(recipe.detector());
    network->initialise(at::detail::createCPUGenerator(seed), 0.3);
    save_weights(file, weights_of(*network, to_yaml(recipe)));
  }

  DatasetFeatures describe(ImageDescriber& describer, const DescribeOptions& options = {}) {
    Warnings warnings;
    return describe_images(faces_.folder(), images_, describer, options, warnings, {});
  }
  std::string extractor(const std::string& weights, const PoolingOptions& pooling = {},
                        const DescribeOptions& options = {}) {
    return describe(*detector_describer(weights, pooling, options.landmarks), options).extractor;
  }

  SquareFaces faces_;
  std::string weights_;
  std::vector<AnnotatedImage> images_;
};

TEST_F(DescribedImages, AreTheSameOnAnyNumberOfThreadsAndInAnyCompany) {
  const auto describer = detector_describer(weights_, {}, true);
  DescribeOptions options;
  options.landmarks = true;
  const DatasetFeatures one = describe(*describer, options);
  options.threads = 3;
  EXPECT_EQ(describe(*describer, options).serialize(), one.serialize());
  EXPECT_EQ(one.images.size(1), 3 * (16 + 4));
  EXPECT_EQ(one.statistic_names[0], "log1p(images)");
  EXPECT_DOUBLE_EQ(one.statistics[0], std::log(13));
  images_ = {images_[5]};
  EXPECT_TRUE(describe(*describer).images[0].equal(one.images[5]));
}

TEST_F(DescribedImages, LandmarksSayWhatEvaluationAndTrainingSay) {
  const auto describer = detector_describer(weights_, {}, true);
  DescribeOptions options;
  options.landmarks = true;
  options.sizes = false;
  const DatasetFeatures features = describe(*describer, options);
  std::map<std::string, double> statistics;
  for (std::size_t i = 0; i < features.statistics.size(); ++i)
    statistics[features.statistic_names[i]] = features.statistics[i];

  TrainedDetector trained = load_trained_detector(weights_);
  Evaluator evaluator(faces_.folder(), images_, trained.recipe);
  const Evaluation evaluation = *evaluator.run(trained.network, torch::kCPU);
  EXPECT_DOUBLE_EQ(statistics["untuned AP@50"], evaluation.average_precision);

  // All images have the same size here: the loss of one large batch.
  std::vector<torch::Tensor> pixels;
  for (std::size_t i = 0; i < images_.size(); ++i)
    pixels.push_back(torch::from_blob(evaluator.sample(i).image.data, {80, 96, 3}, torch::kByte).clone());
  const torch::NoGradGuard no_gradient;
  const torch::Tensor anchors = make_anchors(80, 96, trained.recipe.anchor_sizes);
  const FaceTensors packed = pack_faces(evaluation.faces);
  const Losses losses =
      multibox_loss(trained.network->forward(normalise_pixels(torch::stack(pixels), torch::kCPU)), anchors, packed,
                    match(anchors, packed, trained.recipe.matching()), trained.recipe.loss());
  EXPECT_NEAR(statistics["untuned class loss"], losses.classification.item<double>(), 1e-4);
  EXPECT_NEAR(statistics["untuned box loss"], losses.location.item<double>(), 1e-4);

  double by_count = 0, by_size = 0;
  for (const auto& [name, value] : statistics) {
    if (name.find("faces in an image") == 0) by_count += value;
    if (name.find("face size") == 0) by_size += value;
  }
  EXPECT_DOUBLE_EQ(by_count, 1);
  EXPECT_DOUBLE_EQ(by_size, 1);
  EXPECT_DOUBLE_EQ(statistics["faces in an image <1"], 2.0 / 12);
}

TEST_F(DescribedImages, TheExtractorIsKnownByWeightsNetworkAndOptions) {
  const std::string usual = extractor(weights_), copy = faces_.folder() + "/copy.pt", other = faces_.folder() + "/2.pt";
  std::filesystem::copy_file(weights_, copy);
  EXPECT_EQ(extractor(copy), usual);
  save(other, SquareFaces::recipe(), 2);
  EXPECT_NE(extractor(other), usual);
  Recipe recipe = SquareFaces::recipe();
  recipe.anchor_sizes[0] = 10;
  save(other, recipe, 1);
  EXPECT_NE(extractor(other), usual);
  recipe = SquareFaces::recipe();
  recipe.learning_rate = 7;  // says nothing of the images
  save(other, recipe, 1);
  EXPECT_EQ(extractor(other), usual);

  EXPECT_NE(extractor(weights_, {false, true, true}), usual);
  EXPECT_NE(extractor(weights_, {true, false, true}), usual);
  EXPECT_NE(extractor(weights_, {true, true, false}), usual);
  DescribeOptions options;
  options.sizes = false;
  EXPECT_NE(extractor(weights_, {}, options), usual);
  options.sizes = true;
  options.more = {{"cameras", 3}};
  EXPECT_NE(extractor(weights_, {}, options), usual);
  options.more = {};
  images_.resize(5);
  EXPECT_EQ(extractor(weights_), usual);
}

TEST_F(DescribedImages, CacheKeepsWhatWasComputedToTheBit) {
  const std::string file = faces_.folder() + "/cache";
  DescribeOptions options;
  options.landmarks = true;
  const auto described = [&] {
    return describe(*cached_describer(detector_describer(weights_, {}, true), file), options).serialize();
  };
  const std::string first = described();
  EXPECT_EQ(described(), first);
  EXPECT_EQ(describe(*detector_describer(weights_, {}, true), options).serialize(), first);
}

TEST_F(DescribedImages, ClassifiersAsTorchScriptDescribeImages) {
  const std::string file = faces_.folder() + "/classifier.pt";
  torch::jit::Module module("classifier");
  module.define("def forward(self, x):\n    return x.repeat(1, 2, 1, 1)\n");
  module.save(file);
  const auto describer = classifier_describer(file);
  const DatasetFeatures features = describe(*describer);
  EXPECT_EQ(features.images.size(1), 6);
  const cv::Mat picture = cv::imread(faces_.folder() + "/" + images_[3].file);
  const double red = cv::mean(picture)[2] / 255;
  EXPECT_NEAR(features.images[3][0].item<double>(), (red - 0.485) / 0.229, 2e-3);

  torch::jit::Module two("two");
  two.define("def forward(self, x):\n    return x, x\n");
  two.save(file);
  EXPECT_THAT(message_of([&] { classifier_describer(file); }), HasSubstr("classifier.pt: expected a network"));
}

TEST_F(DescribedImages, NumbersAloneDescribeATaskWithoutImages) {
  const DatasetFeatures features = describe_numbers({{"rows", 10}, {"columns", 3}});
  EXPECT_EQ(features.images.size(0), 0);
  EXPECT_EQ(describe_numbers({{"rows", 99}, {"columns", 7}}).extractor, features.extractor);
  EXPECT_NE(describe_numbers({{"rows", 10}}).extractor, features.extractor);
  EXPECT_THAT(message_of([] { describe_numbers({{"rows", 1}, {"rows", 2}}); }), HasSubstr("rows is there twice"));
}

}  // namespace
}  // namespace hyperfd
