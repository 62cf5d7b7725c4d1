#include "trial/detector/parameter_remapping.h"

#include <algorithm>

#include <ATen/record_function.h>
#include <gtest/gtest.h>

#include "trial/detector/retinaface.h"
#include "tuner/base/error.h"
#include "tuner/space/backbones.h"
#include "tuner/space/detector_cost.h"
#include "tuner/space/search_space.h"

namespace hyperfd {
namespace {

RetinaFace make_network(const Architecture& architecture) {
  DetectorOptions options;
  options.backbone = to_text(architecture);
  options.channels = 16;
  RetinaFace network(options);
  network->eval();
  return network;
}

// Random weights, and batch norms that are no identities.
Weights random_weights(const Architecture& architecture) {
  torch::NoGradGuard no_gradient;
  RetinaFace network = make_network(architecture);
  auto generator = at::detail::createCPUGenerator(4);
  network->initialise(generator);
  for (const auto& module : network->modules()) {
    if (auto* norm = module->as<torch::nn::BatchNorm2d>()) {
      norm->weight.uniform_(0.5, 1.5, generator);
      norm->bias.normal_(0, 0.1, generator);
      norm->running_mean.normal_(0, 0.1, generator);
      norm->running_var.uniform_(0.5, 1.5, generator);
    }
  }
  return weights_of(*network, "");
}

// In double, so that equal functions are told from nearly equal ones.
std::array<torch::Tensor, 3> features(const Architecture& architecture, const Weights& weights) {
  torch::NoGradGuard no_gradient;
  RetinaFace network = make_network(architecture);
  network->to(torch::kDouble);
  load_into(*network, weights, "test");
  return network->context_features(torch::randn({1, 3, 64, 96}, at::detail::createCPUGenerator(9), torch::kDouble));
}

void expect_same_function(const Architecture& from, const Architecture& to) {
  const Weights weights = random_weights(from);
  const auto before = features(from, weights);
  const auto after = features(to, remap_parameters(weights, from, to, "").weights);
  for (std::size_t i = 0; i < 3; ++i) {
    const auto difference = (before[i] - after[i]).abs().max().item<double>();
    EXPECT_LE(difference, 1e-9 * before[i].abs().max().item<double>()) << "level " << i;
  }
}

bool reports(const Remapping& remapping, const std::string& line) {
  return std::find(remapping.report.begin(), remapping.report.end(), line) != remapping.report.end();
}

std::vector<Architecture> samples(int count) {
  const SearchSpace space = SearchSpace::load(HYPERFD_SOURCE_DIR "/search_spaces/proxylessnas.yaml");
  Rng rng(8);
  std::vector<Architecture> architectures;
  for (int i = 0; i < count; ++i) architectures.push_back(*architecture_from(space.sample(rng), "parameters"));
  return architectures;
}

TEST(ParameterRemapping, ToTheSameNetworkIsTheIdentity) {
  const Architecture largest = proxylessnas_largest();
  const Weights weights = random_weights(largest);
  for (const ChannelChoice choice : {ChannelChoice::kFirst, ChannelChoice::kMostImportant}) {
    const Remapping remapping = remap_parameters(weights, largest, largest, "text", choice);
    EXPECT_EQ(remapping.weights.description, "text");
    EXPECT_TRUE(remapping.report.empty());
    ASSERT_EQ(remapping.weights.tensors.size(), weights.tensors.size());
    for (const auto& [name, tensor] : weights.tensors) {
      EXPECT_TRUE(remapping.weights.tensors.at(name).equal(tensor)) << name;
    }
  }
}

TEST(ParameterRemapping, GivesEveryArchitectureOfTheSpaceAllItsWeights) {
  const Architecture largest = proxylessnas_largest();
  const Weights weights = random_weights(largest);
  for (const Architecture& architecture : samples(50)) {
    for (const ChannelChoice choice : {ChannelChoice::kFirst, ChannelChoice::kMostImportant}) {
      const Remapping remapping = remap_parameters(weights, largest, architecture, "", choice);
      RetinaFace network = make_network(architecture);
      EXPECT_NO_THROW(load_into(*network, remapping.weights, "remapped")) << to_text(architecture);
      const std::string name = "ssh1.conv3X3.0.weight";
      EXPECT_TRUE(remapping.weights.tensors.at(name).equal(weights.tensors.at(name)));
    }
  }
}

TEST(ParameterRemapping, ALargerKernelWithZerosKeepsTheFunction) {
  Architecture to = mobilenet_v2_half();
  for (StageArchitecture& stage : to.stages) {
    for (BlockArchitecture& block : stage.blocks) block.kernel = 7;
  }
  expect_same_function(mobilenet_v2_half(), to);
}

TEST(ParameterRemapping, WiderLayersKeepTheFunction) {
  Architecture from = mobilenet_v2_half();
  for (std::size_t i = 1; i < from.stages.size(); ++i) {
    for (BlockArchitecture& block : from.stages[i].blocks) block.expansion = 4;
  }
  expect_same_function(from, mobilenet_v2_half());
  Architecture wide = mobilenet_v2_half();
  wide.stem_width = 20;
  for (StageArchitecture& stage : wide.stages) stage.width += 3;
  expect_same_function(mobilenet_v2_half(), wide);
}

TEST(ParameterRemapping, ANewExpansionReadsTheChannelsOfAWiderInput) {
  const Weights weights = random_weights(mobilenet_v2_half());
  Architecture narrow = mobilenet_v2_half();
  ASSERT_EQ(narrow.stages[0].blocks[0].expansion, 1);
  narrow.stages[0].blocks[0].expansion = 2;
  Architecture wide = narrow;
  wide.stem_width += 7;
  const auto expected = features(narrow, remap_parameters(weights, mobilenet_v2_half(), narrow, "").weights);
  const auto found = features(wide, remap_parameters(weights, mobilenet_v2_half(), wide, "").weights);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_LE((expected[i] - found[i]).abs().max().item<double>(), 1e-9);
}

TEST(ParameterRemapping, SmallerLayersKeepTheNamedParts) {
  Architecture to = proxylessnas_largest();
  to.stages[1].blocks = {{6, 7}, {4, 5}};
  const Weights weights = random_weights(proxylessnas_largest());
  const Remapping remapping = remap_parameters(weights, proxylessnas_largest(), to, "");
  const std::string name = "body.stage2.1.depthwise.0.weight";
  const torch::Tensor old = weights.tensors.at(name);
  EXPECT_TRUE(remapping.weights.tensors.at(name).equal(old.slice(0, 0, 48).slice(2, 1, 6).slice(3, 1, 6)));
  EXPECT_TRUE(reports(remapping, name + ": kernel 7→5 centre crop, channels 72→48 first"));
  EXPECT_EQ(remapping.report.size(), 3u);
}

TEST(ParameterRemapping, ExtraBlocksAreCopiesOfTheLast) {
  Architecture to = mobilenet_v2_half();
  to.stages[4].blocks.resize(4, {6, 3});
  const Weights weights = random_weights(mobilenet_v2_half());
  const Remapping remapping = remap_parameters(weights, mobilenet_v2_half(), to, "");
  EXPECT_TRUE(remapping.weights.tensors.at("body.stage5.3.expand.0.weight")
                  .equal(weights.tensors.at("body.stage5.2.expand.0.weight")));
  EXPECT_TRUE(reports(remapping, "body.stage5.3.expand.0.weight: copy of body.stage5.2.expand.0.weight"));
  // Also when the last is the first, which reads another width, and when expansions come and go.
  Architecture odd = mobilenet_v2_half();
  odd.stages[0].blocks = {{6, 5}, {1, 3}};
  odd.stages[6].blocks = {{1, 3}, {4, 7}};
  odd.stages[6].width = 100;
  EXPECT_NO_THROW(features(odd, remap_parameters(weights, mobilenet_v2_half(), odd, "").weights));
}

TEST(ParameterRemapping, TheMostImportantChannelsHaveTheLargestScales) {
  Architecture to = mobilenet_v2_half();
  to.stem_width = 2;
  Weights weights = random_weights(mobilenet_v2_half());
  torch::Tensor& scale = weights.tensors.at("body.stem.1.weight");
  scale.index_put_({5}, -9);
  scale.index_put_({11}, 8);
  const Remapping remapping = remap_parameters(weights, mobilenet_v2_half(), to, "", ChannelChoice::kMostImportant);
  const torch::Tensor kept = torch::tensor({5, 11}, torch::kLong);
  EXPECT_TRUE(remapping.weights.tensors.at("body.stem.0.weight")
                  .equal(weights.tensors.at("body.stem.0.weight").index_select(0, kept)));
  EXPECT_TRUE(reports(remapping, "body.stem.0.weight: channels 16→2 most important"));
}

TEST(ParameterRemapping, RefusesWeightsOfAnotherNetwork) {
  const Weights weights = random_weights(mobilenet_v2_half());
  try {
    remap_parameters(weights, proxylessnas_largest(), mobilenet_v2_half(), "");
    FAIL() << "weights of another network were accepted";
  } catch (const InputError& error) {
    EXPECT_NE(std::string(error.what()).find("body.stage2."), std::string::npos) << error.what();
  }
}

// What LibTorch's convolutions say while the network runs.
std::int64_t counted_multiply_adds = 0;

std::unique_ptr<at::ObserverContext> see_convolution(const at::RecordFunction& call) {
  if (std::string(call.name()) != "aten::conv2d") return nullptr;
  // input, weight, bias, stride, padding, dilation, groups
  const torch::Tensor input = call.inputs()[0].toTensor(), weight = call.inputs()[1].toTensor();
  const auto stride = call.inputs()[3].toIntVector(), padding = call.inputs()[4].toIntVector();
  const auto output = [&](std::int64_t i) {
    const auto axis = static_cast<std::size_t>(i);
    return (input.size(2 + i) + 2 * padding[axis] - weight.size(2 + i)) / stride[axis] + 1;
  };
  counted_multiply_adds += weight.numel() * output(0) * output(1);
  return nullptr;
}

TEST(DetectorCostOfRealNetworks, IsWhatTheyComputeAndHold) {
  std::vector<std::string> backbones = backbone_names();
  for (const Architecture& architecture : samples(3)) backbones.push_back(to_text(architecture));
  for (const std::string& backbone : backbones) {
    for (const int channels : {16, 80}) {
      DetectorOptions options;
      options.backbone = backbone;
      options.channels = channels;
      RetinaFace network(options);
      network->eval();
      std::int64_t parameters = 0;
      for (const auto& item : network->named_parameters()) parameters += item.value().numel();
      torch::NoGradGuard no_gradient;
      counted_multiply_adds = 0;
      const auto handle = at::addThreadLocalCallback(at::RecordFunctionCallback(see_convolution).needsInputs(true));
      network->forward(torch::zeros({1, 3, 90, 131}));
      at::removeCallback(handle);
      const Cost cost = detector_cost(backbone, channels, {131, 90});
      EXPECT_EQ(cost.multiply_adds, counted_multiply_adds) << backbone;
      EXPECT_EQ(cost.parameters, parameters) << backbone;
    }
  }
}

}  // namespace
}  // namespace hyperfd
