#include "trial/describe/table_statistics.h"

#include <cmath>
#include <map>

#include <gmock/gmock.h>

#include "tests/message_of.h"
#include "tests/tuner/temporary_folder.h"
#include "tuner/base/files.h"

namespace hyperfd {
namespace {

using ::testing::HasSubstr;

class TableStatistics : public ::testing::Test {
 protected:
  std::map<std::string, double> of(const std::string& text, const std::string& target = "") {
    write_file_atomically(file_, text);
    std::map<std::string, double> values;
    for (const Statistic& statistic : table_statistics(file_, target)) values[statistic.name] = statistic.value;
    return values;
  }
  std::string refusal(const std::string& text, const std::string& target = "") {
    return message_of([&] { of(text, target); });
  }

  TemporaryFolder folder_;
  std::string file_ = folder_.file("table.csv");
};

TEST_F(TableStatistics, AreAsComputedByHand) {
  auto values = of("a,b,name\n1,2,x\n2,4,y\n3,6,x\n10,,\"x, \"\"z\"\"\"\n", "name");
  EXPECT_DOUBLE_EQ(values["log1p(rows)"], std::log(5));
  EXPECT_DOUBLE_EQ(values["log1p(columns)"], std::log(4));
  EXPECT_DOUBLE_EQ(values["numeric columns"], 2.0 / 3);
  EXPECT_DOUBLE_EQ(values["missing fields"], 1.0 / 12);
  EXPECT_DOUBLE_EQ(values["different texts"], 3.0 / 4);
  // numpy: a has skewness 1.0182 and kurtosis 2.2304 (biased), b 0 and 1.5.
  EXPECT_NEAR(values["log1p(skewness)"], std::log1p(1.01823 / 2), 1e-4);
  EXPECT_NEAR(values["log1p(kurtosis)"], std::log1p((2.2304 + 1.5) / 2), 1e-4);
  EXPECT_DOUBLE_EQ(values["log1p(classes)"], std::log(4));
  EXPECT_NEAR(values["evenness of classes"], (0.5 * std::log(2) + 0.5 * std::log(4)) / std::log(3), 1e-12);
  EXPECT_NEAR(of("a,b\n1,-2\n2,-4\n4,-8\n")["correlation"], 1, 1e-12);
}

TEST_F(TableStatistics, ConstantAndEmptyColumnsAreNoDivisionByZero) {
  for (const auto& [name, value] : of("a,b\r\n5,\r\n5,NA\r\n")) EXPECT_TRUE(std::isfinite(value)) << name;
}

TEST_F(TableStatistics, BrokenTablesAreRefused) {
  EXPECT_THAT(refusal("a,b\n1,2\n1\n"), HasSubstr("table.csv: line 3: 1 fields, expected 2"));
  EXPECT_THAT(refusal("a,b\n1,\"2\n"), HasSubstr("line 2: a quote is not closed"));
  EXPECT_THAT(refusal("a,b\n"), HasSubstr("it has no values"));
  EXPECT_THAT(refusal(""), HasSubstr("it has no values"));
  EXPECT_THAT(refusal("age,b\n1,2\n", "aeg"), HasSubstr("--target: unknown column \"aeg\"; did you mean \"age\"?"));
}

}  // namespace
}  // namespace hyperfd
