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
    return load_tables({{write("table.jsonl", lines)},
                        folder_.file("space.json"),
                        offline_,
                        statistics.empty() ? "" : write("statistics.json", statistics)});
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
  std::vector<std::string> offline_;
};

TEST_F(LookupTableTest, ReadsTasksWithTheOfflineOnesFirst) {
  offline_ = {"wider"};
  const LookupTable table =
      load(R"({"task": "mask", "configuration": {"n": 1}, "validation": 0.5, "test": 0.25, "seconds": 3})"
           "\n\n"
           R"({"task": "wider", "configuration": {"n": 2}, "validation": 1, "test": 0})"
           "\n"
           R"({"task": "mask", "configuration": {"n": 2}, "validation": 0.75, "test": 0.5})"
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

TEST_F(LookupTableTest, TakesTheMeanOverSeeds) {
  const LookupTable table =
      load(R"({"task": "a", "configuration": {"n": 1}, "seed": 1, "validation": 0.5, "test": 0.25})"
           "\n"
           R"({"task": "a", "configuration": {"n": 1}, "seed": 2, "validation": 0.75, "test": 0.5})"
           "\n"
           R"({"task": "b", "configuration": {"n": 1}, "seed": 1, "validation": 0.1, "test": 0.1})");
  ASSERT_EQ(table.tasks.size(), 2u);
  ASSERT_EQ(table.tasks[0].entries.size(), 1u);
  EXPECT_EQ(table.tasks[0].entries[0].validation, 0.625);
  EXPECT_EQ(table.tasks[0].entries[0].test, 0.375);
}

TEST_F(LookupTableTest, ReadsTheFilesOfAFolder) {
  const std::string line = R"(", "configuration": {"n": 1}, "validation": 0.5, "test": 0.5})";
  write("tables/b.jsonl", R"({"task": "b)" + line);
  write("tables/a.jsonl", R"({"task": "a)" + line);
  write("tables/notes.txt", "not a table");
  const LookupTable table = load_tables({{folder_.file("tables")}, folder_.file("space.json"), {}, ""});
  ASSERT_EQ(table.tasks.size(), 2u);
  EXPECT_EQ(table.tasks[0].name, "a");
  write("empty/notes.txt", "");
  EXPECT_EQ(message_of([&] {
              load_tables({{folder_.file("empty")}, folder_.file("space.json"), {}, ""});
            }),
            folder_.file("empty") + ": a folder without files *.jsonl");
}

TEST_F(LookupTableTest, WritesWhatItReads) {
  const std::string lines = R"({"task":"a","configuration":{"n":1},"validation":0.5,"test":0.25})"
                            "\n";
  EXPECT_EQ(to_json_lines(load(lines)), lines);
}

TEST_F(LookupTableTest, NamesFileAndLineOfWhatIsWrong) {
  const std::string good = R"({"task": "a", "configuration": {"n": 1}, "validation": 0.5, "test": 0.5})";
  EXPECT_EQ(error_of(good + "\n[1]"), "table.jsonl:2: expected an object, got [1]");
  EXPECT_EQ(error_of(R"({"task": "a"})"), "table.jsonl:1: configuration: missing");
  EXPECT_EQ(error_of(R"({"task": "a", "configuration": {"n": 1}, "validation": 51, "test": 0.5})"),
            "table.jsonl:1: validation: expected an AP from 0 to 1, got 51");
  EXPECT_EQ(error_of(R"({"task": "a", "configuration": {"n": 1}, "validation": 0.5, "test": "x"})"),
            "table.jsonl:1: test: expected an AP from 0 to 1, got \"x\"");
  EXPECT_EQ(error_of(R"({"task": "", "configuration": {"n": 1}, "validation": 0.5, "test": 0.5})"),
            "table.jsonl:1: task: expected a name, got \"\"");
  EXPECT_EQ(error_of(good + "\n" + good),
            "table.jsonl:2: task a has this configuration and seed at table.jsonl:1 already");
  EXPECT_EQ(
      error_of(R"({"task": "a", "configuration": {"n": 4}, "validation": 0, "test": 0})").rfind("table.jsonl:1: ", 0),
      0u);
  EXPECT_EQ(error_of("{").rfind("table.jsonl:1: ", 0), 0u);
  EXPECT_EQ(error_of(good, R"({"a": [1, "x"]})"), "statistics.json: a: expected a number, got \"x\"");
  offline_ = {"b"};
  EXPECT_EQ(error_of(good), "--offline: unknown task \"b\"; known: a");
}

}  // namespace
}  // namespace hyperfd
