#include "trial/detector/decoding.h"

#include <limits>

#include <gtest/gtest.h>

#include "trial/detector/anchors.h"
#include "trial/detector/nms.h"
#include "tuner/base/rng.h"

namespace hyperfd {
namespace {

Detection detection(float x, float y, float side, float score) {
  Detection made;
  made.box = {x, y, side, side};
  made.score = score;
  return made;
}

TEST(NonMaximumSuppression, KeepsTheStrongestOfAGroupAndBothOfTwoThatTouchALittle) {
  const auto kept =
      suppress({detection(0, 0, 20, 0.5f), detection(1, 1, 20, 0.9f), detection(15, 0, 20, 0.4f)}, 0.4f, 10);
  ASSERT_EQ(kept.size(), 2u);
  EXPECT_FLOAT_EQ(kept[0].score, 0.9f);
  EXPECT_FLOAT_EQ(kept[1].score, 0.4f);
}

TEST(NonMaximumSuppression, LeavesNoPairThatOverlapsAndDropsNothingWithoutReason) {
  Rng rng(2);
  std::vector<Detection> all;
  for (int i = 0; i < 300; ++i) {
    all.push_back(detection(static_cast<float>(rng.uniform(0, 100)), static_cast<float>(rng.uniform(0, 100)),
                            static_cast<float>(rng.uniform(5, 40)), static_cast<float>(rng.uniform())));
  }
  const auto kept = suppress(all, 0.4f, 1000);
  for (std::size_t i = 0; i < kept.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      EXPECT_LE(iou(kept[i].box, kept[j].box), 0.4f);
      EXPECT_GE(kept[j].score, kept[i].score);
    }
  }
  for (const Detection& one : all) {
    EXPECT_TRUE(std::any_of(kept.begin(), kept.end(), [&](const Detection& stronger) {
      return stronger.score >= one.score && (iou(stronger.box, one.box) > 0.4f || iou(stronger.box, one.box) == 1);
    }));
  }
  EXPECT_EQ(suppress(all, 0.4f, 7).size(), 7u);
}

TEST(Decoding, FindsTheFaceWhereTheNetworkSaysOne) {
  const torch::Tensor anchors = make_anchors(64, 64, {16, 32, 64, 128, 256, 512});
  RawOutput output{torch::zeros({2, anchors.size(0), 2}), torch::zeros({2, anchors.size(0), 4}),
                   torch::zeros({2, anchors.size(0), 10})};
  output.logits.select(2, 0).fill_(20);
  const std::int64_t anchor = 2 * (3 * 8 + 5);  // row 3, column 5 at stride 8, size 16
  output.logits[1][anchor][1] = 20 + std::log(3.0);
  output.boxes[1][anchor][0] = 1;  // a tenth of the anchor's width to the right
  output.landmarks[1][anchor][3] = -2;
  const auto images = decode(output, anchors, {});
  EXPECT_TRUE(images[0].empty());
  ASSERT_EQ(images[1].size(), 1u);
  const Detection& found = images[1][0];
  EXPECT_NEAR(found.score, 0.75, 1e-5);
  EXPECT_NEAR(found.box.x, 44 - 8 + 1.6, 1e-4);
  EXPECT_NEAR(found.box.y, 28 - 8, 1e-4);
  EXPECT_NEAR(found.box.width, 16, 1e-4);
  EXPECT_NEAR(found.landmarks[1].y, 28 - 3.2, 1e-4);
  EXPECT_NEAR(found.landmarks[0].x, 44, 1e-4);
}

TEST(Decoding, LeavesOutBoxesThatAreNoNumbers) {
  const torch::Tensor anchors = make_anchors(64, 64, {16, 32, 64, 128, 256, 512});
  RawOutput output{torch::zeros({1, anchors.size(0), 2}), torch::zeros({1, anchors.size(0), 4}),
                   torch::zeros({1, anchors.size(0), 10})};
  output.logits.select(2, 0).fill_(20);
  for (const std::int64_t anchor : {0, 40, 80, 120}) output.logits[0][anchor][1] = 30;
  output.boxes[0][0][2] = 1000;  // a width of exp(200)
  output.boxes[0][40][3] = 200;  // finite, and nowhere near an image
  output.landmarks[0][80][4] = std::numeric_limits<float>::infinity();
  EXPECT_EQ(decode(output, anchors, {})[0].size(), 1u);
}

TEST(Decoding, TakesTheStrongestCandidatesOnly) {
  const torch::Tensor anchors = make_anchors(64, 64, {16, 32, 64, 128, 256, 512});
  torch::manual_seed(1);
  RawOutput output{torch::randn({1, anchors.size(0), 2}), torch::zeros({1, anchors.size(0), 4}),
                   torch::zeros({1, anchors.size(0), 10})};
  DecodingOptions options;
  options.candidates = 5;
  options.nms_iou = 1;
  options.score_threshold = 0;
  const auto few = decode(output, anchors, options)[0];
  options.candidates = 100000;
  options.maximum = 100000;
  const auto all = decode(output, anchors, options)[0];
  ASSERT_EQ(few.size(), 5u);
  ASSERT_EQ(all.size(), static_cast<std::size_t>(anchors.size(0)));
  for (std::size_t i = 0; i < few.size(); ++i) EXPECT_EQ(few[i].score, all[i].score);
}

}  // namespace
}  // namespace hyperfd
