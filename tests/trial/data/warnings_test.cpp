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
  EXPECT_EQ(warnings.notes(), "one: apples\na: boxes too odd\nb: boxes too odd\nc: boxes too odd\n");
}

TEST(Warnings, KeepsAsManyAsItIsToldTo) {
  Warnings warnings(5);
  for (int i = 0; i < 9; ++i) warnings.add("boxes too odd", std::to_string(i));
  EXPECT_THAT(warnings.lines(), testing::ElementsAre("9 boxes too odd (e.g. 0; 1; 2)"));
  EXPECT_EQ(warnings.notes(), "0: boxes too odd\n1: boxes too odd\n2: boxes too odd\n3: boxes too odd\n4: boxes too odd\n");
}

}  // namespace
}  // namespace hyperfd
