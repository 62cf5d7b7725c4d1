#include "trial/data/warnings.h"

#include <gmock/gmock.h>

namespace hyperfd {
namespace {

TEST(Warnings, CountsAKindAndKeepsItsFirstExamples) {
  Warnings warnings;
  EXPECT_TRUE(warnings.empty());
  for (const char* example : {"a", "b", "c", "d"}) warnings.add("boxes too odd", example);
  warnings.add("apples", "one");
  EXPECT_FALSE(warnings.empty());
  EXPECT_EQ(warnings.count("boxes too odd"), 4u);
  EXPECT_EQ(warnings.count("pears"), 0u);
  EXPECT_THAT(warnings.lines(), testing::ElementsAre("1 apples (one)", "4 boxes too odd (e.g. a; b; c)"));
}

}  // namespace
}  // namespace hyperfd
