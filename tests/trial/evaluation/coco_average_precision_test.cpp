#include "trial/evaluation/coco_average_precision.h"

#include <limits>

#include <gtest/gtest.h>

#include "tuner/base/error.h"

namespace hyperfd {
namespace {

TEST(CocoAveragePrecision, IsMinusOneWithoutAnythingToFind) {
  EXPECT_EQ(coco_average_precision({}).ap, -1);
  EXPECT_EQ(coco_average_precision({{{{0, 0, 9, 9, 0.5}}, {{0, 0, 9, 9, true}}}}).ap50, -1);
}

TEST(CocoAveragePrecision, GradesOverlapByThreshold) {
  // IoU 0.8: found at 0.50 … 0.80, missed at 0.85, 0.90 and 0.95.
  const auto result = coco_average_precision({{{{0, 0, 10, 8, 0.5}}, {{0, 0, 10, 10, false}}}});
  EXPECT_DOUBLE_EQ(result.ap50, 1);
  EXPECT_DOUBLE_EQ(result.ap75, 1);
  EXPECT_NEAR(result.ap, 0.7, 1e-12);
}

TEST(CocoAveragePrecision, ACrowdTakesManyDetectionsThatLieInIt) {
  const TruthBox crowd{0, 0, 100, 100, true}, face{200, 0, 20, 20, false};
  const auto result =
      coco_average_precision({{{{5, 5, 20, 20, 0.9}, {50, 50, 20, 20, 0.8}, {200, 0, 20, 20, 0.7}}, {crowd, face}}});
  EXPECT_DOUBLE_EQ(result.ap, 1);
}

TEST(CocoAveragePrecision, ASecondDetectionTakesTheNextFreeFace) {
  // Unlike MMDetection's rule, where it would be a duplicate of the first face.
  const TruthBox a{10, 10, 40, 40, false}, b{24, 10, 40, 40, false};
  const auto result = coco_average_precision({{{{10, 10, 40, 40, 0.9}, {14, 10, 40, 40, 0.8}}, {a, b}}});
  EXPECT_DOUBLE_EQ(result.ap50, 1);
}

TEST(CocoAveragePrecision, CountsTheBestHundredDetectionsOfAnImage) {
  ImageBoxes image;
  image.truths.push_back({0, 0, 10, 10, false});
  for (int i = 0; i < 100; ++i) image.detections.push_back({500, 500, 10, 10, 0.9});
  image.detections.push_back({0, 0, 10, 10, 0.1});
  EXPECT_EQ(coco_average_precision({image}).ap50, 0);
  image.detections.erase(image.detections.begin());
  EXPECT_GT(coco_average_precision({image}).ap50, 0);
}

TEST(CocoAveragePrecision, RefusesAScoreThatIsNotANumber) {
  EXPECT_THROW(coco_average_precision({{{{0, 0, 9, 9, std::numeric_limits<double>::quiet_NaN()}}, {}}}), InputError);
}

}  // namespace
}  // namespace hyperfd
