#include <gtest/gtest.h>

#include "trial/detector/anchors.h"
#include "trial/detector/backbone.h"
#include "trial/detector/retinaface.h"
#include "tuner/base/error.h"

namespace hyperfd {
namespace {

torch::Generator generator(std::uint64_t seed) {
  return at::detail::createCPUGenerator(seed);
}

std::int64_t parameter_count(torch::nn::Module& module) {
  std::int64_t count = 0;
  for (const auto& parameter : module.parameters()) count += parameter.numel();
  return count;
}

TEST(RetinaFaceNetwork, PutsOutOneRowForEachAnchorAtOddSizes) {
  for (const char* backbone : {"mobilenet_v2_x0.5", "mobilenet_v1_x0.25"}) {
    DetectorOptions options;
    options.backbone = backbone;
    RetinaFace network(options);
    network->eval();
    for (const auto& [height, width] : {std::pair{160, 160}, std::pair{97, 131}, std::pair{33, 240}}) {
      torch::NoGradGuard no_gradient;
      const RawOutput output = network->forward(torch::zeros({2, 3, height, width}));
      const std::int64_t anchors = make_anchors(height, width, options.anchor_sizes).size(0);
      EXPECT_EQ(output.logits.sizes(), (std::vector<std::int64_t>{2, anchors, 2})) << backbone;
      EXPECT_EQ(output.boxes.sizes(), (std::vector<std::int64_t>{2, anchors, 4})) << backbone;
      EXPECT_EQ(output.landmarks.sizes(), (std::vector<std::int64_t>{2, anchors, 10})) << backbone;
    }
  }
}

// Counted by hand from the layers of MobileNetV2 with the widths of Table 9: a block of n inputs, expansion t, kernel k
// and m outputs has n·nt + 2nt (expand, if t > 1) + k²·nt + 2nt (depthwise) + nt·m + 2m (project) parameters.
TEST(RetinaFaceNetwork, MobileNetV2HasTheParametersOfItsDescription) {
  const Architecture architecture = mobilenet_v2_half();
  std::int64_t expected = 3 * 16 * 9 + 2 * 16;
  std::int64_t in = 16;
  for (const StageArchitecture& stage : architecture.stages) {
    for (const BlockArchitecture& block : stage.blocks) {
      const std::int64_t inner = in * block.expansion;
      if (block.expansion > 1) expected += in * inner + 2 * inner;
      expected += block.kernel * block.kernel * inner + 2 * inner + inner * stage.width + 2 * stage.width;
      in = stage.width;
    }
  }
  EXPECT_EQ(parameter_count(*make_backbone("mobilenet_v2_x0.5")), expected);
}

TEST(RetinaFaceNetwork, BackboneFeaturesLieAtStrides8And16And32) {
  for (const std::string& name : backbone_names()) {
    const auto backbone = make_backbone(name);
    backbone->eval();
    torch::NoGradGuard no_gradient;
    const auto features = backbone->forward(torch::zeros({1, 3, 64, 96}));
    for (std::size_t i = 0; i < 3; ++i) {
      EXPECT_EQ(features[i].size(1), backbone->channels()[i]) << name;
      EXPECT_EQ(features[i].size(2), 64 / kStrides[i]) << name;
      EXPECT_EQ(features[i].size(3), 96 / kStrides[i]) << name;
    }
  }
}

TEST(RetinaFaceNetwork, TheSameSeedGivesTheSameWeightsAndAnotherSeedOthers) {
  RetinaFace a{DetectorOptions{}}, b{DetectorOptions{}}, c{DetectorOptions{}};
  a->initialise(generator(7));
  b->initialise(generator(7));
  c->initialise(generator(8));
  bool differs = false;
  for (const auto& item : a->named_parameters()) {
    EXPECT_TRUE(item.value().equal(b->named_parameters()[item.key()])) << item.key();
    differs = differs || !item.value().equal(c->named_parameters()[item.key()]);
  }
  EXPECT_TRUE(differs);
}

TEST(RetinaFaceNetwork, AnUntrainedNetworkCallsEveryAnchorAFaceWithThePriorProbability) {
  RetinaFace network{DetectorOptions{}};
  network->initialise(generator(1), 0.05);
  torch::NoGradGuard no_gradient;
  const RawOutput output = network->forward(torch::zeros({2, 3, 160, 160}));
  EXPECT_NEAR(torch::softmax(output.logits, 2).select(2, 1).mean().item<double>(), 0.05, 0.02);
}

TEST(RetinaFaceNetwork, RefusesImpossibleDescriptions) {
  EXPECT_THROW(make_backbone("mobilenet_v2"), InputError);
  Architecture architecture = mobilenet_v2_half();
  architecture.stages[2].stride = 1;
  try {
    make_backbone(architecture);
    FAIL() << "a network whose third stage lies at stride 4 was accepted";
  } catch (const InputError& error) {
    EXPECT_STREQ(error.what(),
                 "architecture: stages[2].stride: expected one that brings the network's stride to 8, got 1");
  }
  architecture = mobilenet_v2_half();
  architecture.stages[4].blocks[1].kernel = 4;
  EXPECT_THROW(make_backbone(architecture), InputError);
  DetectorOptions options;
  options.channels = 6;
  EXPECT_THROW(RetinaFace{options}, InputError);
  options = {};
  options.anchor_sizes = {16, 32};
  EXPECT_THROW(RetinaFace{options}, InputError);
}

TEST(NormalisePixels, TakesTheMeansOffWithoutMovingThePixels) {
  const torch::Tensor images = torch::randint(0, 256, {2, 5, 7, 3}, torch::kByte);
  const torch::Tensor pixels = normalise_pixels(images, torch::kCPU);
  EXPECT_EQ(pixels.sizes(), (std::vector<std::int64_t>{2, 3, 5, 7}));
  EXPECT_TRUE(pixels.is_contiguous(torch::MemoryFormat::ChannelsLast));
  EXPECT_FLOAT_EQ(pixels[1][0][4][6].item<float>(), images[1][4][6][0].item<float>() - 104);
  EXPECT_FLOAT_EQ(pixels[1][2][4][6].item<float>(), images[1][4][6][2].item<float>() - 123);
}

}  // namespace
}  // namespace hyperfd
