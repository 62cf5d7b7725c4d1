#include "tuner/base/csv.h"

#include <gtest/gtest.h>

#include "tests/message_of.h"

namespace hyperfd {
namespace {

using Fields = std::vector<std::string>;

TEST(Csv, FieldsMayBeQuoted) {
  const auto records = parse_csv("a,b\r\n\"x,\"\"y\"\"\",\"1\n2\"\n,\n", "f.csv");
  ASSERT_EQ(records.size(), 3u);
  EXPECT_EQ(records[0].fields, (Fields{"a", "b"}));
  EXPECT_EQ(records[1].fields, (Fields{"x,\"y\"", "1\n2"}));
  EXPECT_EQ(records[2].fields, (Fields{"", ""}));
  EXPECT_EQ(records[1].line, 2u);
  EXPECT_EQ(records[2].line, 4u);
}

TEST(Csv, BlanksAroundFieldsAreDroppedAndThoseInQuotesStay) {
  const auto records = parse_csv(" a, b c ,\td\t\n \" x \" , \"\" ,\" , \"\r\n \t \n1, ", "f.csv");
  ASSERT_EQ(records.size(), 4u);
  EXPECT_EQ(records[0].fields, (Fields{"a", "b c", "d"}));
  EXPECT_EQ(records[1].fields, (Fields{" x ", "", " , "}));
  EXPECT_TRUE(records[2].is_empty_line());
  EXPECT_EQ(records[3].fields, (Fields{"1", ""}));
}

TEST(Csv, EmptyLinesAreRecordsAndEmptyTextHasNone) {
  EXPECT_TRUE(parse_csv("", "f.csv").empty());
  const auto records = parse_csv("a\n\nb", "f.csv");
  ASSERT_EQ(records.size(), 3u);
  EXPECT_TRUE(records[1].is_empty_line());
  EXPECT_FALSE(records[2].is_empty_line());
}

TEST(Csv, AQuoteThatIsNotClosedIsNamedByItsLine) {
  EXPECT_EQ(message_of([] { parse_csv("a\n\"b\nc\n", "f.csv"); }), "f.csv: line 2: a quote is not closed");
}

}  // namespace
}  // namespace hyperfd
