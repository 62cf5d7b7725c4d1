#include "tuner/platform/metric.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hyperfd {
namespace {

using ::testing::HasSubstr;

TEST(Metric, NumbersAndNnisDefault) {
  EXPECT_EQ(parse_metric("0.5").number, 0.5);
  EXPECT_EQ(parse_metric(" -3 ").number, -3);
  EXPECT_EQ(parse_metric(R"({"default": 1e-3, "other": "x"})").number, 1e-3);
  EXPECT_EQ(parse_metric("0.5").warning, "");
}

TEST(Metric, AnythingElseHasNoNumberAndSaysWhy) {
  for (const char* text : {"", "NaN", "Infinity", "1e999", "abc", "\"0.5\"", "null", "true", "[1]", "{}",
                           R"({"default": "x"})", R"({"other": 1})", "0.5 0.6", "{\"default\":"}) {
    EXPECT_FALSE(parse_metric(text).number) << text;
    EXPECT_THAT(parse_metric(text).warning, HasSubstr("not ranked by")) << text;
  }
}

TEST(Metric, LongValuesAreCutInTheWarning) {
  EXPECT_LT(parse_metric("\"" + std::string(100'000, 'x') + "\"").warning.size(), 250u);
}

}  // namespace
}  // namespace hyperfd
