#include <algorithm>
#include <filesystem>

#include <gtest/gtest.h>
#include <opencv2/imgcodecs.hpp>

#include "trial/detector/anchors.h"
#include "trial/detector/box_coding.h"
#include "trial/detector/decoding.h"
#include "trial/training/weights_file.h"
#include "tuner/base/files.h"
#include "tuner/base/json.h"

namespace hyperfd {
namespace {

// Outputs of Pytorch_Retinaface's mobilenet0.25 with its public weights, for ten images at their own size.
const std::string kShared = HYPERFD_SOURCE_DIR "/../shared/data";
const std::string kFormats[] = {".zip.pth", ".pth"};  // PyTorch's zip format and the one before
const std::string kGolden = kShared + "/reference/golden/";

// A float32 array in numpy's format, version 1.
torch::Tensor read_npy(const std::string& file) {
  const std::string bytes = read_file(file);
  const std::size_t header = static_cast<unsigned char>(bytes.at(8)) + 256u * static_cast<unsigned char>(bytes.at(9));
  const std::string description = bytes.substr(10, header);
  std::vector<std::int64_t> shape;
  for (std::size_t at = description.find('(') + 1; description[at] != ')';) {
    if (std::isdigit(static_cast<unsigned char>(description[at]))) {
      std::size_t digits = 0;
      shape.push_back(std::stoll(description.substr(at), &digits));
      at += digits;
    } else {
      ++at;
    }
  }
  return torch::from_blob(const_cast<char*>(bytes.data()) + 10 + header, shape, torch::kFloat).clone();
}

double largest_difference(const torch::Tensor& a, const torch::Tensor& b) {
  return (a - b).abs().max().item<double>();
}

class PublicRetinaFace : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    const std::string file = kShared + "/weights/retinaface_mobilenet0.25_Final" + GetParam();
    if (!std::filesystem::exists(file)) GTEST_SKIP() << file << " is not on this machine";
    DetectorOptions options;
    options.backbone = "mobilenet_v1_x0.25";
    options.channels = 64;
    network_ = RetinaFace(options);
    load_into(*network_, load_weights(file), file);
    network_->eval();
  }

  RetinaFace network_{nullptr};
};

TEST_P(PublicRetinaFace, PutsOutWhatTheOriginalProgramDoes) {
  torch::NoGradGuard no_gradient;
  for (const Json& entry : parse_json(read_file(kGolden + "golden.json"), "golden.json")) {
    const std::string stem = entry["stem"];
    SCOPED_TRACE(stem);
    const cv::Mat image = cv::imread(kShared + "/" + entry["image"].get<std::string>(), cv::IMREAD_COLOR);
    ASSERT_FALSE(image.empty());
    const torch::Tensor pixels =
        normalise_pixels(torch::from_blob(image.data, {1, image.rows, image.cols, 3}, torch::kByte), torch::kCPU);
    const RawOutput output = network_->forward(pixels);
    EXPECT_LE(largest_difference(output.boxes[0], read_npy(kGolden + stem + ".loc.npy")), 1e-4);
    EXPECT_LE(largest_difference(torch::softmax(output.logits[0], 1), read_npy(kGolden + stem + ".conf.npy")), 1e-4);
    EXPECT_LE(largest_difference(output.landmarks[0], read_npy(kGolden + stem + ".landm.npy")), 1e-4);

    const torch::Tensor anchors = make_anchors(image.rows, image.cols, network_->options().anchor_sizes);
    const torch::Tensor size = torch::tensor({image.cols, image.rows, image.cols, image.rows}, torch::kFloat);
    EXPECT_LE(largest_difference(anchors / size, read_npy(kGolden + stem + ".priors.npy")), 1e-6);

    const auto context = network_->context_features(pixels);
    const torch::Tensor means =
        torch::stack({context[0].mean({2, 3})[0], context[1].mean({2, 3})[0], context[2].mean({2, 3})[0]});
    EXPECT_LE(largest_difference(means, read_npy(kGolden + stem + ".ssh_mean.npy").view_as(means)), 1e-4);
  }
}

// The overlap of two boxes as the original counts it: both one pixel wider and higher.
float overlap_of_wider_boxes(Box a, Box b) {
  for (Box* box : {&a, &b}) box->width += 1, box->height += 1;
  return iou(a, b);
}

// The original's steps after the network: scores over 0.02, suppression at 0.4, the first 200.
std::vector<Detection> original_detections(const RawOutput& output, const torch::Tensor& anchors) {
  DecodingOptions options;
  options.nms_iou = 1;
  options.candidates = options.maximum = 5000;
  const auto candidates = decode(output, anchors, options);
  std::vector<Detection> kept;
  for (const Detection& candidate : candidates[0]) {
    const bool overlapped = std::any_of(kept.begin(), kept.end(), [&](const Detection& stronger) {
      return overlap_of_wider_boxes(stronger.box, candidate.box) > 0.4f;
    });
    if (!overlapped && kept.size() < 200) kept.push_back(candidate);
  }
  return kept;
}

TEST_P(PublicRetinaFace, FindsTheFacesThatTheOriginalProgramFinds) {
  torch::NoGradGuard no_gradient;
  std::size_t images = 0, compared = 0;
  for (const Json& entry : parse_json(read_file(kGolden + "golden.json"), "golden.json")) {
    SCOPED_TRACE(entry["stem"].get<std::string>());
    ++images;
    const cv::Mat image = cv::imread(kShared + "/" + entry["image"].get<std::string>(), cv::IMREAD_COLOR);
    const torch::Tensor pixels =
        normalise_pixels(torch::from_blob(image.data, {1, image.rows, image.cols, 3}, torch::kByte), torch::kCPU);
    const auto found = original_detections(network_->forward(pixels),
                                           make_anchors(image.rows, image.cols, network_->options().anchor_sizes));
    ASSERT_EQ(found.size(), entry["detections"].size());
    for (std::size_t i = 0; i < found.size(); ++i, ++compared) {
      const Json& expected = entry["detections"][i];
      const auto box = expected["bbox_xyxy"].get<std::vector<double>>();
      const auto landmarks = expected["landmarks"].get<std::vector<double>>();
      EXPECT_NEAR(found[i].score, expected["score"].get<double>(), 1e-4);
      EXPECT_NEAR(found[i].box.x, box[0], 0.02);
      EXPECT_NEAR(found[i].box.y, box[1], 0.02);
      EXPECT_NEAR(found[i].box.right(), box[2], 0.02);
      EXPECT_NEAR(found[i].box.bottom(), box[3], 0.02);
      for (std::size_t point = 0; point < 5; ++point) {
        EXPECT_NEAR(found[i].landmarks[point].x, landmarks[2 * point], 0.02);
        EXPECT_NEAR(found[i].landmarks[point].y, landmarks[2 * point + 1], 0.02);
      }
    }
  }
  EXPECT_EQ(images, 10u);
  EXPECT_GT(compared, 100u);
}

// Our own suppression counts overlap without that pixel: among faces to be sure of it keeps the same ones.
TEST_P(PublicRetinaFace, OurOwnSuppressionKeepsTheSameSureFaces) {
  constexpr float kSure = 0.5f;
  torch::NoGradGuard no_gradient;
  DecodingOptions options;
  options.score_threshold = kSure;
  std::size_t compared = 0;
  for (const Json& entry : parse_json(read_file(kGolden + "golden.json"), "golden.json")) {
    SCOPED_TRACE(entry["stem"].get<std::string>());
    const cv::Mat image = cv::imread(kShared + "/" + entry["image"].get<std::string>(), cv::IMREAD_COLOR);
    const torch::Tensor pixels =
        normalise_pixels(torch::from_blob(image.data, {1, image.rows, image.cols, 3}, torch::kByte), torch::kCPU);
    const auto found = decode(network_->forward(pixels),
                              make_anchors(image.rows, image.cols, network_->options().anchor_sizes), options)[0];
    std::vector<Json> expected;
    for (const Json& detection : entry["detections"]) {
      if (detection["score"].get<float>() > kSure) expected.push_back(detection);
    }
    ASSERT_EQ(found.size(), expected.size());
    for (std::size_t i = 0; i < found.size(); ++i, ++compared) {
      EXPECT_NEAR(found[i].score, expected[i]["score"].get<double>(), 1e-4);
      EXPECT_NEAR(found[i].box.x, expected[i]["bbox_xyxy"][0].get<double>(), 0.02);
      EXPECT_NEAR(found[i].box.bottom(), expected[i]["bbox_xyxy"][3].get<double>(), 0.02);
    }
  }
  EXPECT_GT(compared, 20u);
}

INSTANTIATE_TEST_SUITE_P(Formats, PublicRetinaFace, ::testing::ValuesIn(kFormats), [](const auto& instance) {
  return instance.param == ".pth" ? "before_1_6" : "zip";
});

}  // namespace
}  // namespace hyperfd
