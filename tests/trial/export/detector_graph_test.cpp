#include "trial/export/detector_graph.h"

#include <filesystem>

#include <gtest/gtest.h>
#include <opencv2/dnn.hpp>

#include "trial/detector/anchors.h"
#include "trial/detector/box_coding.h"
#include "trial/training/import_weights.h"
#include "trial/training/initial_weights.h"
#include "trial/training/weights_file.h"

namespace hyperfd {
namespace {

RetinaFace random_network(const std::string& backbone) {
  DetectorOptions options;
  options.backbone = backbone;
  RetinaFace network(options);
  torch::Generator generator = at::detail::createCPUGenerator(3);
  network->initialise(generator);
  torch::NoGradGuard no_gradient;
  for (const auto& module : network->modules()) {
    if (auto* norm = module->as<torch::nn::BatchNorm2d>()) {
      norm->weight.uniform_(0.5, 1.5, generator);
      norm->bias.uniform_(-0.5, 0.5, generator);
    }
  }
  // Statistics of what really comes in: with others the numbers grow until boxes are infinite.
  for (int i = 0; i < 60; ++i) {
    network->forward(normalise_pixels(torch::randint(0, 256, {2, 64, 64, 3}, generator, torch::kByte), torch::kCPU));
  }
  network->eval();
  return network;
}

double relative_difference(const torch::Tensor& ours, const cv::Mat& theirs) {
  const torch::Tensor other = torch::from_blob(theirs.data, ours.sizes(), torch::kFloat);
  return ((ours - other).abs().max() / ours.abs().max()).item<double>();  // of the largest number
}

// Runs the file in OpenCV, an implementation that shares nothing with LibTorch.
void expect_same_in_opencv(RetinaFace& network, int width, int height) {
  torch::NoGradGuard no_gradient;
  const std::string file = export_detector(*network, width, height, {});
  cv::dnn::Net net = cv::dnn::readNetFromONNX(file.data(), file.size());
  const torch::Tensor image = torch::randint(0, 256, {1, height, width, 3}, torch::kByte);
  const torch::Tensor blob = image.permute({0, 3, 1, 2}).to(torch::kFloat).contiguous();
  const int shape[] = {1, 3, height, width};
  net.setInput(cv::Mat(4, shape, CV_32F, blob.data_ptr()));
  std::vector<cv::Mat> outputs;
  net.forward(outputs, std::vector<cv::String>{"scores", "boxes", "landmarks"});

  const RawOutput raw = network->forward(normalise_pixels(image, torch::kCPU));
  const torch::Tensor anchors = make_anchors(height, width, network->options().anchor_sizes);
  ASSERT_EQ(outputs[0].total(), static_cast<std::size_t>(anchors.size(0)));
  EXPECT_LE(relative_difference(torch::softmax(raw.logits, 2).select(2, 1), outputs[0]), 1e-4);
  EXPECT_LE(relative_difference(decode_boxes(raw.boxes, anchors), outputs[1]), 1e-4);
  EXPECT_LE(relative_difference(decode_landmarks(raw.landmarks, anchors), outputs[2]), 1e-4);
}

TEST(DetectorGraph, OpenCvPutsOutWhatTheNetworkDoes) {
  torch::manual_seed(1);
  for (const char* backbone : {"mobilenet_v1_x0.25", "mobilenet_v2_x0.5"}) {
    SCOPED_TRACE(backbone);
    RetinaFace network = random_network(backbone);
    expect_same_in_opencv(network, 160, 96);
    expect_same_in_opencv(network, 131, 97);  // levels whose sizes are not halves of each other
    RetinaFace folded = folded_twin(network);
    expect_same_in_opencv(folded, 131, 97);
  }
}

TEST(DetectorGraph, OpenCvPutsOutWhatThePublicRetinaFaceDoes) {
  const std::string file = HYPERFD_SOURCE_DIR "/../shared/data/weights/retinaface_mobilenet0.25_Final.pth";
  if (!std::filesystem::exists(file)) GTEST_SKIP() << file << " is not on this machine";
  DetectorOptions options;
  options.backbone = "mobilenet_v1_x0.25";
  options.channels = 64;
  RetinaFace network(options);
  load_into(*network, identify_weights(load_weights(file), {}, file), file);
  network->eval();
  expect_same_in_opencv(network, 320, 240);
}

}  // namespace
}  // namespace hyperfd
