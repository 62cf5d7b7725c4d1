#include "trial/detector/anchors.h"

#include <gtest/gtest.h>

#include "trial/detector/box_coding.h"

namespace hyperfd {
namespace {

TEST(Anchors, LieInTheMiddleOfTheirCellsLevelByLevel) {
  const torch::Tensor anchors = make_anchors(40, 24, {16, 32, 64, 128, 256, 512});
  // 5×3, 3×2 and 2×1 cells.
  ASSERT_EQ(anchors.size(0), 2 * (15 + 6 + 2));
  std::int64_t row = 0;
  const int sizes[3][2] = {{16, 32}, {64, 128}, {256, 512}};
  for (int level = 0; level < 3; ++level) {
    const int stride = kStrides[level];
    for (int y = 0; y * stride < 40; ++y) {
      for (int x = 0; x * stride < 24; ++x) {
        for (const int size : sizes[level]) {
          const torch::Tensor anchor = anchors[row++];
          EXPECT_FLOAT_EQ(anchor[0].item<float>(), (static_cast<float>(x) + 0.5f) * static_cast<float>(stride));
          EXPECT_FLOAT_EQ(anchor[1].item<float>(), (static_cast<float>(y) + 0.5f) * static_cast<float>(stride));
          EXPECT_FLOAT_EQ(anchor[2].item<float>(), static_cast<float>(size));
          EXPECT_FLOAT_EQ(anchor[3].item<float>(), static_cast<float>(size));
        }
      }
    }
  }
}

TEST(BoxCoding, DecodingUndoesEncoding) {
  torch::manual_seed(1);
  const torch::Tensor anchors = make_anchors(64, 64, {16, 32, 64, 128, 256, 512});
  const torch::Tensor corner = torch::rand({anchors.size(0), 2}) * 60;
  const torch::Tensor boxes = torch::cat({corner, corner + 1 + torch::rand({anchors.size(0), 2}) * 40}, 1);
  EXPECT_TRUE(decode_boxes(encode_boxes(boxes, anchors), anchors).allclose(boxes, 1e-4, 1e-3));
  const torch::Tensor landmarks = torch::rand({anchors.size(0), 10}) * 64;
  EXPECT_TRUE(decode_landmarks(encode_landmarks(landmarks, anchors), anchors).allclose(landmarks, 1e-4, 1e-3));
}

TEST(BoxCoding, FollowsTheFormula) {
  const torch::Tensor anchor = torch::tensor({{20.f, 30.f, 16.f, 32.f}});
  const torch::Tensor encoded = encode_boxes(torch::tensor({{10.f, 20.f, 34.f, 60.f}}), anchor);
  EXPECT_NEAR(encoded[0][0].item<double>(), (22 - 20) / (0.1 * 16), 1e-5);
  EXPECT_NEAR(encoded[0][1].item<double>(), (40 - 30) / (0.1 * 32), 1e-5);
  EXPECT_NEAR(encoded[0][2].item<double>(), std::log(24.0 / 16) / 0.2, 1e-5);
  EXPECT_NEAR(encoded[0][3].item<double>(), std::log(40.0 / 32) / 0.2, 1e-5);
}

TEST(BoxCoding, ABoxWithoutWidthIsEncodedAsFiniteNumbers) {
  const torch::Tensor anchor = torch::tensor({{20.f, 30.f, 16.f, 32.f}});
  EXPECT_TRUE(torch::isfinite(encode_boxes(torch::tensor({{10.f, 20.f, 10.f, 20.f}}), anchor)).all().item<bool>());
}

}  // namespace
}  // namespace hyperfd
