#include <gtest/gtest.h>

#include "trial/evaluation/detection.h"

namespace hyperfd {
namespace {

TEST(Iou, OfHandCases) {
  EXPECT_FLOAT_EQ(iou({0, 0, 10, 10}, {0, 0, 10, 10}), 1);
  EXPECT_FLOAT_EQ(iou({0, 0, 10, 10}, {5, 0, 10, 10}), 50.0f / 150);
  EXPECT_FLOAT_EQ(iou({0, 0, 10, 10}, {2, 2, 5, 5}), 0.25f);
}

TEST(Iou, OfTouchingDistantAndEmptyBoxesIsZero) {
  EXPECT_EQ(iou({0, 0, 10, 10}, {10, 0, 10, 10}), 0);
  EXPECT_EQ(iou({0, 0, 10, 10}, {-30, 40, 10, 10}), 0);
  EXPECT_EQ(iou({3, 3, 0, 0}, {3, 3, 0, 0}), 0);
  EXPECT_EQ(iou({0, 0, 10, 10}, {5, 5, -2, 3}), 0);
}

}  // namespace
}  // namespace hyperfd
