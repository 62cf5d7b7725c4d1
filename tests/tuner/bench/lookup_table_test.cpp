#include "tuner/bench/lookup_table.h"

#include <gtest/gtest.h>

#include "tests/message_of.h"
#include "tests/tuner/temporary_folder.h"
#include "tuner/base/files.h"

namespace hyperfd {
namespace {

constexpr char kSpace[] = R"({"n": {"_type": "choice", "_value": [1, 2, 3]}})";

class LookupTableTest : public ::testing::Test {
 protected:
  LookupTableTest() { write("space.json", kSpace); }

  std::string write(const std::string& name, const std::string& content) {
    const std::string file = folder_.file(name);
    write_file_atomically(file, content);
    return file;
  }
  LookupTable load(const std::string& lines, const std::string& statistics = "") {
    return load_tables({write("table.jsonl", lines)}, folder_.file("space.json"),
                       statistics.empty() ? "" : write("statistics.json", statistics));
  }
  // The error without the folder's name.
  std::string error_of(const std::string& lines, const std::string& statistics = "") {
    std::string message = message_of([&] { load(lines, statistics); });
    const std::string folder = folder_.file("");
    for (std::size_t at = message.find(folder); at != std::string::npos; at = message.find(folder)) {
      message.erase(at, folder.size());
    }
    return message;
  }

  TemporaryFolder folder_;
};

TEST_F(LookupTableTest, ReadsTasksWithTheOfflineOnesFirst) {
  const LookupTable table =
      load(R"({"task": "mask", "configuration": {"n": 1}, "val": 0.5, "test": 0.25, "info": {"epochs": 3}})"
           "\n\n"
           R"({"task": "wider", "configuration": {"n": 2}, "val": 1, "test": 0, "offline": true})"
           "\n"
           R"({"task": "mask", "configuration": {"n": 2}, "val": 0.75, "test": 0.5})"
           "\n",
           R"({"mask": [1, 2.5], "somebody else": [1]})");
  ASSERT_EQ(table.tasks.size(), 2u);
  EXPECT_EQ(table.tasks[0].name, "wider");
  EXPECT_TRUE(table.tasks[0].offline);
  EXPECT_TRUE(table.tasks[0].statistics.empty());
  const TableTask& mask = table.tasks[1];
  EXPECT_EQ(mask.statistics, (std::vector<double>{1, 2.5}));
  ASSERT_EQ(mask.entries.size(), 2u);
  EXPECT_EQ(mask.entries[1].configuration, (Json{{"n", 2}}));
  EXPECT_EQ(mask.entries[1].validation, 0.75);
  EXPECT_EQ(mask.entries[1].test, 0.5);
}

TEST_F(LookupTableTest, FindsTheSpaceThatTheTableNames) {
  const std::string line = R"({"task": "a", "configuration": {"n": 1}, "val": 0.5, "test": 0.5})";
  const std::string named = write("named.jsonl", "{\"space\": \"space.json\"}\n" + line + "\n");
  EXPECT_EQ(load_tables({named}, "", "").tasks.size(), 1u);
  const std::string unnamed = write("unnamed.jsonl", line);
  EXPECT_EQ(message_of([&] { load_tables({unnamed}, "", ""); }),
            "--space: needed, since no table has a line {\"space\": …}");
  write("other.json", kSpace);
  const std::string other = write("another.jsonl", "{\"space\": \"other.json\"}");
  EXPECT_NE(message_of([&] {
              load_tables({named, other}, "", "");
            }).find("another.jsonl:1: space: "),
            std::string::npos);
}

TEST_F(LookupTableTest, NamesFileAndLineOfWhatIsWrong) {
  const std::string good = R"({"task": "a", "configuration": {"n": 1}, "val": 0.5, "test": 0.5})";
  EXPECT_EQ(error_of(good + "\n[1]"), "table.jsonl:2: expected an object, got [1]");
  EXPECT_EQ(error_of(R"({"task": "a"})"), "table.jsonl:1: configuration: missing");
  EXPECT_EQ(error_of(R"({"task": "a", "configuration": {"n": 1}, "val": 51, "test": 0.5})"),
            "table.jsonl:1: val: expected an AP from 0 to 1, got 51");
  EXPECT_EQ(error_of(R"({"task": "a", "configuration": {"n": 1}, "val": 0.5, "test": "x"})"),
            "table.jsonl:1: test: expected an AP from 0 to 1, got \"x\"");
  EXPECT_EQ(error_of(R"({"task": "", "configuration": {"n": 1}, "val": 0.5, "test": 0.5})"),
            "table.jsonl:1: task: expected a name, got \"\"");
  EXPECT_EQ(error_of(R"({"task": "a", "configuration": {"n": 1}, "value": 0.5, "test": 0.5})"),
            "table.jsonl:1: unknown key \"value\"; did you mean \"val\"?");
  EXPECT_EQ(error_of(good + "\n" + good), "table.jsonl:2: task a has this configuration at table.jsonl:1 already");
  EXPECT_EQ(error_of(R"({"task": "a", "configuration": {"n": 1}, "val": 0, "test": 0, "offline": 1})"),
            "table.jsonl:1: offline: expected true or false, got 1");
  EXPECT_EQ(error_of(R"({"task": "a", "configuration": {"n": 4}, "val": 0, "test": 0})").rfind("table.jsonl:1: ", 0),
            0u);
  EXPECT_EQ(error_of("{").rfind("table.jsonl:1: ", 0), 0u);
  EXPECT_EQ(error_of(good, R"({"a": [1, "x"]})"), "statistics.json: a: expected a number, got \"x\"");
}

}  // namespace
}  // namespace hyperfd
