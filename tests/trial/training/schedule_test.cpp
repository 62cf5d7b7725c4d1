#include "trial/training/schedule.h"

#include <gtest/gtest.h>

namespace hyperfd {
namespace {

TEST(Schedule, RisesFromATenthDuringWarmUp) {
  ScheduleOptions options;
  options.warmup_epochs = 2;
  const Schedule schedule(options);
  EXPECT_DOUBLE_EQ(schedule.factor(0), 0.1);
  EXPECT_DOUBLE_EQ(schedule.factor(1), 0.55);
  EXPECT_DOUBLE_EQ(schedule.factor(2), 1);
  EXPECT_DOUBLE_EQ(schedule.factor(900), 1);
}

TEST(Schedule, CosineFallsToAHundredth) {
  ScheduleOptions options;
  options.cosine = true;
  options.warmup_epochs = 0;
  options.epochs = 10;
  const Schedule schedule(options);
  EXPECT_DOUBLE_EQ(schedule.factor(0), 1);
  EXPECT_NEAR(schedule.factor(5), 0.505, 1e-12);
  EXPECT_NEAR(schedule.factor(10), 0.01, 1e-12);
}

// The paper: a tenth after 5 validations without a new best, the end after 8.
TEST(Schedule, FallsAfterFiveStagnantValidationsAndStopsAfterEight) {
  ScheduleOptions options;
  options.warmup_epochs = 0;
  Schedule schedule(options);
  EXPECT_TRUE(schedule.validated(0.5));
  EXPECT_FALSE(schedule.validated(0.5));  // not better
  for (int i = 0; i < 3; ++i) schedule.validated(0.4);
  EXPECT_DOUBLE_EQ(schedule.factor(1), 1);
  schedule.validated(0.4);
  EXPECT_DOUBLE_EQ(schedule.factor(1), 0.1);
  EXPECT_TRUE(schedule.validated(0.6));
  for (int i = 0; i < 7; ++i) schedule.validated(0.4);
  EXPECT_FALSE(schedule.should_stop());
  EXPECT_NEAR(schedule.factor(1), 0.01, 1e-12);
  schedule.validated(0.4);
  EXPECT_TRUE(schedule.should_stop());
}

}  // namespace
}  // namespace hyperfd
