// Hand cases; tests/evaluation/test_wider.py compares with the official evaluation on all of WIDER FACE's validation
// set.
#include "trial/evaluation/wider_precision_recall.h"

#include <limits>

#include <gtest/gtest.h>

#include "tuner/base/error.h"

namespace hyperfd {
namespace {

const TruthBox kLeft{10, 10, 40, 40, false}, kRight{100, 10, 40, 40, false}, kIgnored{200, 10, 40, 40, true};

ScoredBox on(const TruthBox& truth, double score) {
  return {truth.x, truth.y, truth.width, truth.height, score};
}

TEST(WiderPrecisionRecall, HasAPointForEachOfAThousandThresholds) {
  // Normalised scores 1, 0.5 and 0: right, wrong, right.
  const auto curve =
      wider_precision_recall({{{on(kLeft, 0.9), {300, 300, 9, 9, 0.7}, on(kRight, 0.5)}, {kLeft, kRight}}});
  ASSERT_EQ(curve.recall.size(), 1000u);
  EXPECT_EQ(curve.precision[0], 1);
  EXPECT_EQ(curve.recall[0], 0.5);
  EXPECT_EQ(curve.precision[498], 1);  // threshold 0.501
  EXPECT_EQ(curve.precision[500], 0.5);
  EXPECT_EQ(curve.recall[998], 0.5);
  EXPECT_EQ(curve.recall[999], 1);
  EXPECT_DOUBLE_EQ(curve.precision[999], 2.0 / 3);
  EXPECT_DOUBLE_EQ(area_under_envelope(curve), 0.5 + 0.5 * 2 / 3);
}

TEST(WiderPrecisionRecall, NormalisesScoresOverAllImages) {
  const auto curve = wider_precision_recall({{{on(kLeft, 3)}, {kLeft}}, {{on(kLeft, -1)}, {kLeft}}});
  EXPECT_EQ(curve.recall.front(), 0.5);
  EXPECT_EQ(curve.recall[998], 0.5);
  EXPECT_EQ(curve.recall.back(), 1);
}

TEST(WiderPrecisionRecall, DetectionsOfIgnoredFacesDoNotCount) {
  const auto curve = wider_precision_recall({{{on(kIgnored, 1), on(kIgnored, 0.9), on(kLeft, 0)}, {kLeft, kIgnored}}});
  EXPECT_EQ(curve.precision.front(), 0);  // nothing counts yet
  EXPECT_EQ(curve.precision.back(), 1);
  EXPECT_EQ(curve.recall.back(), 1);
}

TEST(WiderPrecisionRecall, ASecondDetectionOfAFaceIsWrong) {
  const auto curve = wider_precision_recall({{{on(kLeft, 1), on(kLeft, 0)}, {kLeft}}});
  EXPECT_EQ(curve.precision.back(), 0.5);
}

TEST(WiderPrecisionRecall, CountsTheEdgesPixel) {
  // 9×9 of 10×19 pixels with the edge: 100 / 190; without, 81 / 171 would be less than half.
  const auto curve = wider_precision_recall({{{{0, 0, 9, 9, 1}}, {{0, 0, 9, 18, false}}}});
  EXPECT_EQ(curve.recall.back(), 1);
}

TEST(WiderPrecisionRecall, DoesNotLookAtImagesWithoutFaces) {
  const auto curve = wider_precision_recall({{{on(kLeft, 1)}, {}}, {{on(kLeft, 0)}, {kLeft}}});
  EXPECT_EQ(curve.precision.back(), 1);
}

TEST(WiderPrecisionRecall, OfEqualScoresAndOfNothing) {
  EXPECT_EQ(wider_precision_recall({{{on(kLeft, 0.5)}, {kLeft}}}).recall.back(), 1);
  EXPECT_TRUE(wider_precision_recall({{{on(kLeft, 0.5)}, {kIgnored}}}).recall.empty());
  EXPECT_EQ(wider_precision_recall({{{}, {kLeft}}}).recall.back(), 0);
}

TEST(WiderPrecisionRecall, CountsFacesOfNegativeSizeUnlessThereIsAMinimum) {
  const TruthBox inverted{50, 50, -1, 9, false};
  EXPECT_EQ(wider_precision_recall({{{on(kLeft, 1)}, {kLeft, inverted}}}).recall.back(), 0.5);
  EXPECT_EQ(wider_precision_recall({{{on(kLeft, 1)}, {kLeft, inverted}}}, 1).recall.back(), 1);
}

TEST(WiderPrecisionRecall, RefusesAScoreThatIsNotANumber) {
  EXPECT_THROW(wider_precision_recall({{{on(kLeft, std::numeric_limits<double>::quiet_NaN())}, {kLeft}}}), InputError);
}

}  // namespace
}  // namespace hyperfd
