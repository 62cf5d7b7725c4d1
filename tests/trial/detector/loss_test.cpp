#include <gtest/gtest.h>

#include "tests/trial/detector/reference.h"
#include "trial/detector/anchors.h"
#include "trial/detector/matching.h"
#include "trial/detector/multibox_loss.h"
#include "tuner/base/rng.h"

namespace hyperfd {
namespace {

constexpr int kSide = 96;
const std::vector<int> kSizes = {12, 24, 40, 64, 80, 120};

std::vector<reference::Anchor> anchor_list(const torch::Tensor& anchors) {
  std::vector<reference::Anchor> list;
  const auto row = anchors.accessor<float, 2>();
  for (std::int64_t i = 0; i < anchors.size(0); ++i) list.push_back({row[i][0], row[i][1], row[i][2], row[i][3]});
  return list;
}

// Crowds, empty images, ignored faces, faces too small for any anchor, faces with and without landmarks.
std::vector<std::vector<Face>> random_faces(Rng& rng, int images) {
  std::vector<std::vector<Face>> batch(static_cast<std::size_t>(images));
  for (auto& faces : batch) {
    const std::uint64_t count = rng.below(9);
    for (std::uint64_t i = 0; i < count; ++i) {
      Face face;
      const auto side = static_cast<float>(std::exp(rng.uniform(std::log(3.0), std::log(90.0))));
      face.box = {static_cast<float>(rng.uniform(0, kSide - 5)), static_cast<float>(rng.uniform(0, kSide - 5)), side,
                  side * static_cast<float>(rng.uniform(0.8, 1.5))};
      face.ignored = rng.below(5) == 0;
      if (rng.below(2) == 0) {
        Landmarks landmarks;
        for (Point& point : landmarks) {
          point = {face.box.x + static_cast<float>(rng.uniform()) * face.box.width,
                   face.box.y + static_cast<float>(rng.uniform()) * face.box.height};
        }
        face.landmarks = landmarks;
      }
      faces.push_back(face);
    }
  }
  return batch;
}

TEST(Matching, AgreesWithTheDefinitionOnRandomCrowds) {
  const torch::Tensor anchors = make_anchors(kSide, kSide, kSizes);
  const auto list = anchor_list(anchors);
  Rng rng(11);
  int positives = 0, ignored = 0;
  for (int round = 0; round < 20; ++round) {
    const auto faces = random_faces(rng, 4);
    MatchingOptions options;
    options.positive_iou = static_cast<float>(rng.uniform(0.3, 0.65));
    options.negative_iou = negative_iou_of(options.positive_iou);
    const Matches matches = match(anchors, pack_faces(faces), options);
    for (std::size_t image = 0; image < faces.size(); ++image) {
      const auto expected = reference::match(list, faces[image], options);
      for (std::size_t i = 0; i < expected.size(); ++i) {
        const auto row = static_cast<std::int64_t>(image), column = static_cast<std::int64_t>(i);
        ASSERT_EQ(matches.labels[row][column].item<int>(), expected[i].label) << "round " << round << " anchor " << i;
        if (expected[i].label != 1) continue;
        ASSERT_EQ(matches.face[row][column].item<int>(), expected[i].face) << "round " << round << " anchor " << i;
      }
      for (const auto& match : expected) {
        positives += match.label == 1;
        ignored += match.label == -1;
      }
    }
  }
  EXPECT_GT(positives, 100);
  EXPECT_GT(ignored, 100);
}

TEST(Matching, GivesEveryFaceItsBestAnchorEvenUnderTheThreshold) {
  const torch::Tensor anchors = make_anchors(kSide, kSide, kSizes);
  Face tall;
  tall.box = {30, 10, 12, 40};  // no square anchor overlaps it by half
  MatchingOptions options;
  options.positive_iou = 0.6f;
  options.negative_iou = negative_iou_of(0.6f);
  const Matches matches = match(anchors, pack_faces({{tall}, {}}), options);
  EXPECT_EQ((matches.labels[0] == 1).sum().item<int>(), 1);
  EXPECT_EQ((matches.labels[1] == 0).sum().item<std::int64_t>(), anchors.size(0));
}

TEST(Matching, MatchesEachImageOfABatchAsIfItWereAlone) {
  const torch::Tensor anchors = make_anchors(640, 640, {16, 32, 64, 128, 256, 512});
  Rng rng(3);
  auto faces = random_faces(rng, 6);
  faces[0].clear();
  for (int i = 0; i < 150; ++i) {
    Face face;
    face.box = {static_cast<float>(rng.uniform(0, 600)), static_cast<float>(rng.uniform(0, 600)), 20, 24};
    faces[0].push_back(face);
  }
  const MatchingOptions options;
  const Matches whole = match(anchors, pack_faces(faces), options);
  for (std::size_t image = 0; image < faces.size(); ++image) {
    const Matches alone = match(anchors, pack_faces({faces[image]}), options);
    const auto row = static_cast<std::int64_t>(image);
    EXPECT_TRUE(whole.labels[row].equal(alone.labels[0])) << image;
    EXPECT_TRUE(whole.face[row].equal(alone.face[0])) << image;
  }
}

class MultiboxLoss : public ::testing::TestWithParam<LossOptions> {};

TEST_P(MultiboxLoss, AgreesWithTheDefinition) {
  const torch::Tensor anchors = make_anchors(kSide, kSide, kSizes);
  const auto list = anchor_list(anchors);
  Rng rng(5);
  torch::manual_seed(5);
  for (int round = 0; round < 10; ++round) {
    const auto faces = random_faces(rng, 3);
    const RawOutput output{torch::randn({3, anchors.size(0), 2}) * 2, torch::randn({3, anchors.size(0), 4}) * 3,
                           torch::randn({3, anchors.size(0), 10}) * 3};
    std::vector<std::vector<reference::Prediction>> predictions(3, std::vector<reference::Prediction>(list.size()));
    for (std::int64_t image = 0; image < 3; ++image) {
      for (std::int64_t i = 0; i < anchors.size(0); ++i) {
        auto& said = predictions[static_cast<std::size_t>(image)][static_cast<std::size_t>(i)];
        said.background = output.logits[image][i][0].item<double>();
        said.face = output.logits[image][i][1].item<double>();
        for (int k = 0; k < 4; ++k) said.box[k] = output.boxes[image][i][k].item<double>();
        for (int k = 0; k < 10; ++k) said.landmarks[k] = output.landmarks[image][i][k].item<double>();
      }
    }
    const MatchingOptions matching;
    const FaceTensors packed = pack_faces(faces);
    const Losses losses = multibox_loss(output, anchors, packed, match(anchors, packed, matching), GetParam());
    const reference::Loss expected = reference::loss(list, predictions, faces, matching, GetParam());
    EXPECT_NEAR(losses.classification.item<double>(), expected.classification, 1e-4 * expected.classification + 1e-6);
    EXPECT_NEAR(losses.location.item<double>(), expected.location, 1e-4 * expected.location + 1e-6);
    EXPECT_NEAR(losses.landmarks.item<double>(), expected.landmarks, 1e-4 * expected.landmarks + 1e-6);
    EXPECT_NEAR(losses.total.item<double>(),
                expected.classification + GetParam().location_weight * expected.location +
                    GetParam().landmark_weight * expected.landmarks,
                1e-3);
  }
}

LossOptions loss_options(float negative_ratio, int minimum_negatives, float location_weight) {
  LossOptions options;
  options.negative_ratio = negative_ratio;
  options.minimum_negatives = minimum_negatives;
  options.location_weight = location_weight;
  return options;
}

INSTANTIATE_TEST_SUITE_P(Options, MultiboxLoss,
                         ::testing::Values(loss_options(7, 0, 2), loss_options(2, 0, 8), loss_options(2.5f, 4, 2),
                                           loss_options(1000, 0, 2)));

TEST(MultiboxLossGradient, DoesNotReachIgnoredAnchorsNorLandmarksThatNobodyAnnotated) {
  const torch::Tensor anchors = make_anchors(kSide, kSide, kSizes);
  Face face, ignored;
  face.box = {10, 10, 24, 24};
  ignored.box = {50, 50, 40, 40};
  ignored.ignored = true;
  const FaceTensors faces = pack_faces({{face, ignored}});
  const Matches matches = match(anchors, faces, {});
  RawOutput output{torch::randn({1, anchors.size(0), 2}), torch::randn({1, anchors.size(0), 4}),
                   torch::randn({1, anchors.size(0), 10})};
  for (torch::Tensor* tensor : {&output.logits, &output.boxes, &output.landmarks}) tensor->set_requires_grad(true);
  multibox_loss(output, anchors, faces, matches, loss_options(1000, 0, 2)).total.backward();
  const torch::Tensor left_alone = matches.labels == -1;
  ASSERT_GT(left_alone.sum().item<int>(), 0);
  EXPECT_EQ(output.logits.grad().abs().sum(2).masked_select(left_alone).sum().item<double>(), 0);
  EXPECT_GT(output.logits.grad().abs().sum(2).masked_select(~left_alone).min().item<double>(), 0);
  EXPECT_EQ(output.landmarks.grad().abs().sum().item<double>(), 0);
}

TEST(MultiboxLossGradient, IsFiniteForABatchWithoutFaces) {
  const torch::Tensor anchors = make_anchors(kSide, kSide, kSizes);
  const FaceTensors faces = pack_faces({{}, {}});
  RawOutput output{torch::randn({2, anchors.size(0), 2}).set_requires_grad(true), torch::randn({2, anchors.size(0), 4}),
                   torch::randn({2, anchors.size(0), 10})};
  for (const int minimum_negatives : {0, 3}) {
    const Losses losses =
        multibox_loss(output, anchors, faces, match(anchors, faces, {}), loss_options(7, minimum_negatives, 2));
    losses.total.backward();
    EXPECT_EQ(losses.total.item<double>() > 0, minimum_negatives > 0);
    EXPECT_TRUE(torch::isfinite(output.logits.grad()).all().item<bool>());
  }
}

}  // namespace
}  // namespace hyperfd
