#include "trial/detector/folding.h"

#include <ATen/CPUGeneratorImpl.h>
#include <gtest/gtest.h>

#include "trial/detector/retinaface.h"
#include "tuner/base/error.h"

namespace hyperfd {
namespace {

DetectorOptions options_of(const std::string& backbone, bool folded) {
  DetectorOptions options;
  options.backbone = backbone;
  options.channels = 16;
  options.folded = folded;
  return options;
}

TEST(Folding, ComputesTheSameFunction) {
  for (const char* backbone : {"mobilenet_v1_x0.25", "mobilenet_v2_x0.5"}) {
    torch::NoGradGuard no_gradient;
    RetinaFace network(options_of(backbone, false)), folded(options_of(backbone, true));
    auto generator = at::detail::createCPUGenerator(1);
    network->initialise(generator);
    const torch::Tensor pixels = torch::rand({2, 3, 64, 96}, generator) * 255 - 120;
    network->train();
    for (int i = 0; i < 20; ++i) network->forward(pixels);  // fills the statistics
    network->eval();
    folded->eval();
    load_into(*folded, fold(weights_of(*network, "")), "folded");
    const RawOutput a = network->forward(pixels), b = folded->forward(pixels);
    EXPECT_TRUE(torch::allclose(a.logits, b.logits, 1e-4, 1e-5)) << backbone;
    EXPECT_TRUE(torch::allclose(a.boxes, b.boxes, 1e-4, 1e-5)) << backbone;
    EXPECT_FALSE(has_batch_norms(weights_of(*folded, "")));
  }
}

TEST(Folding, LeavesWeightsWithoutBatchNormsAlone) {
  RetinaFace folded(options_of("mobilenet_v1_x0.25", true));
  const Weights weights = weights_of(*folded, "text");
  const Weights again = fold(weights);
  EXPECT_EQ(again.description, "text");
  for (const auto& [name, tensor] : weights.tensors) EXPECT_TRUE(tensor.equal(again.tensors.at(name))) << name;
}

TEST(Folding, NamesWhatIsMissing) {
  RetinaFace network(options_of("mobilenet_v1_x0.25", false));
  Weights weights = weights_of(*network, "");
  weights.tensors.erase("fpn.merge1.0.weight");
  try {
    fold(weights);
    FAIL();
  } catch (const InputError& error) {
    EXPECT_NE(std::string(error.what()).find("fpn.merge1.0.weight"), std::string::npos);
  }
}

}  // namespace
}  // namespace hyperfd
