#include "tuner/platform/foreign_results.h"

#include <fstream>

#include <gtest/gtest.h>
#include <soci/soci.h>
#include <soci/sqlite3/soci-sqlite3.h>

#include "tests/message_of.h"
#include "tests/tuner/temporary_folder.h"
#include "tuner/base/error.h"
#include "tuner/base/files.h"

namespace hyperfd {
namespace {

class ForeignResultsTest : public ::testing::Test {
 protected:
  ForeignResults read(const std::string& name, const std::string& content) {
    std::ofstream(folder_.file(name)) << content;
    return read_foreign_results({folder_.file(name), "", ""}, space_);
  }

  TemporaryFolder folder_;
  SearchSpace space_ = SearchSpace::parse(Json::parse(R"({"lr": {"_type": "loguniform", "_value": [0.0001, 1]},
      "kind": {"_type": "choice", "_value": ["sgd", "a,\"b\""]}, "depth": {"_type": "randint", "_value": [1, 9]}})"));
};

TEST_F(ForeignResultsTest, ReadsWhatNnictlExportsAsJson) {
  const ForeignResults found = read("export.json", R"([
    {"parameter": {"lr": 0.1, "kind": "sgd", "depth": 2}, "value": "0.5", "trialJobId": "a"},
    {"parameter": "{\"lr\": 0.2, \"kind\": \"sgd\", \"depth\": 3}", "value": "{\"default\": 0.75, \"loss\": 3}", "trialJobId": "b"},
    {"parameter": {"lr": 7, "kind": "sgd", "depth": 2}, "value": "0.5"},
    {"parameter": {"lr": 0.1, "kind": "sgd", "depth": 2}, "value": "\"NaN\""},
    {"value": "1"}, 3])");
  ASSERT_EQ(found.rows.size(), 2u);
  EXPECT_EQ(found.rows[1].configuration, Json::parse(R"({"lr": 0.2, "kind": "sgd", "depth": 3})"));
  EXPECT_EQ(found.rows[1].metric, 0.75);
  ASSERT_EQ(found.skipped.size(), 4u);
  EXPECT_NE(found.skipped[0].find("export.json: trial 3: "), std::string::npos);
  EXPECT_NE(found.skipped[2].find("parameter: missing"), std::string::npos);
}

TEST_F(ForeignResultsTest, ReadsCsvWithQuotesAndForeignColumns) {
  const ForeignResults found = read("runs.csv",
                                    "trialJobId,lr,reward,kind,depth\r\n"
                                    "x,1e-2,0.5,\"a,\"\"b\"\"\",4\r\n"
                                    "y,0.01,,sgd,4\n"
                                    "z,0.01,0.25,sgd\n");
  ASSERT_EQ(found.rows.size(), 1u);
  EXPECT_EQ(found.rows[0].configuration, Json::parse(R"({"lr": 0.01, "kind": "a,\"b\"", "depth": 4})"));
  EXPECT_EQ(found.rows[0].metric, 0.5);
  ASSERT_EQ(found.skipped.size(), 2u);
  EXPECT_NE(found.skipped[1].find("runs.csv: row 4: 4 cells, expected 5"), std::string::npos);
}

TEST_F(ForeignResultsTest, ReadsWhatExcelAndPeopleWrite) {
  const std::string mark = "\xef\xbb\xbf";
  const ForeignResults csv = read("runs.csv", mark +
                                                  "lr, kind, depth, value\r\n"
                                                  "0.01, \"a,\"\"b\"\"\", 4 , 0.5\r\n");
  EXPECT_TRUE(csv.skipped.empty());
  ASSERT_EQ(csv.rows.size(), 1u);
  EXPECT_EQ(csv.rows[0].configuration, Json::parse(R"({"lr": 0.01, "kind": "a,\"b\"", "depth": 4})"));
  EXPECT_EQ(csv.rows[0].metric, 0.5);
  const ForeignResults json =
      read("export.json", mark + R"([{"parameter": {"lr": 0.1, "kind": "sgd", "depth": 2}, "value": "0.5"}])");
  EXPECT_EQ(json.rows.size(), 1u);
}

TEST_F(ForeignResultsTest, ReadsNestedChoicesAsNniWritesThem) {
  space_ = SearchSpace::parse(Json::parse(R"({"model": {"_type": "choice", "_value": [
      {"_name": "tree", "depth": {"_type": "randint", "_value": [1, 9]}, "pruned": {"_type": "choice", "_value": [true, false]}},
      {"_name": "it's linear"}]}})"));
  const ForeignResults found = read("runs.csv",
                                    "trialJobId,model,reward\n"
                                    "x,\"{'_name': 'tree', 'depth': 3, 'pruned': True}\",0.5\n"
                                    "y,\"{'_name': \"\"it's linear\"\"}\",0.25\n"
                                    "z,\"{'_name': 'tree\",0.25\n");
  ASSERT_EQ(found.rows.size(), 2u);
  EXPECT_EQ(found.rows[0].configuration, Json::parse(R"({"model": {"_name": "tree", "depth": 3, "pruned": true}})"));
  EXPECT_EQ(found.rows[1].configuration, Json::parse(R"({"model": {"_name": "it's linear"}})"));
  ASSERT_EQ(found.skipped.size(), 1u);
}

TEST_F(ForeignResultsTest, ACellNestedWithoutEndIsAText) {
  const std::string deep = std::string(200000, '[') + std::string(200000, ']');
  const ForeignResults found = read("runs.csv", "lr,kind,depth,reward\n0.1,\"" + deep + "\",4,0.5\n");
  EXPECT_EQ(found.rows.size() + found.skipped.size(), 1u);
}

TEST_F(ForeignResultsTest, ReadsCsvAsNniWritesIt) {
  const SearchSpace space = SearchSpace::parse(Json::parse(R"({"flip": {"_type": "choice", "_value": [true, false]},
                      "size": {"_type": "choice", "_value": ["16", "32", "True"]},
                      "score": {"_type": "uniform", "_value": [0, 1]}})"));
  std::ofstream(folder_.file("nni.csv"))
      << "flip,size,score,seconds,default\nTrue,16,0.5,7,0.9\nFalse,True,0.25,8,0.8\nmaybe,16,0.5,7,0.9\n";
  const ForeignResults found = read_foreign_results({folder_.file("nni.csv"), "", ""}, space);
  ASSERT_EQ(found.rows.size(), 2u);
  EXPECT_EQ(found.rows[0].configuration, Json::parse(R"({"flip": true, "size": "16", "score": 0.5})"));
  EXPECT_EQ(found.rows[1].configuration, Json::parse(R"({"flip": false, "size": "True", "score": 0.25})"));
  EXPECT_EQ(found.rows[0].metric, 0.9);
  EXPECT_EQ(found.skipped.size(), 1u);
}

TEST_F(ForeignResultsTest, CsvNeedsAColumnOfTheResult) {
  EXPECT_NE(message_of([&] { read("runs.csv", "lr,kind,depth,loss\n0.1,sgd,2,1\n"); }).find("--metric"),
            std::string::npos);
  EXPECT_NE(message_of([&] { read("empty.csv", ""); }).find("empty"), std::string::npos);
}

TEST_F(ForeignResultsTest, ReadsAnOptunaStorage) {
  const std::string file = folder_.file("optuna.db");
  {
    soci::session sql(soci::sqlite3, "db=\"" + file + "\"");
    sql << "CREATE TABLE studies (study_id INTEGER PRIMARY KEY, study_name VARCHAR(512))";
    sql << "CREATE TABLE study_directions (direction VARCHAR(8), study_id INTEGER, objective INTEGER)";
    sql << "CREATE TABLE trials (trial_id INTEGER PRIMARY KEY, number INTEGER, study_id INTEGER, state VARCHAR(8))";
    sql << "CREATE TABLE trial_params (trial_id INTEGER, param_name VARCHAR(512), param_value FLOAT, distribution_json "
           "TEXT)";
    sql << "CREATE TABLE trial_values (trial_id INTEGER, objective INTEGER, value FLOAT, value_type VARCHAR(7))";
    sql << "INSERT INTO studies VALUES (1, 'old'), (2, 'new')";
    sql << "INSERT INTO study_directions VALUES ('MINIMIZE', 1, 0), ('MAXIMIZE', 2, 0)";
    sql << "INSERT INTO trials VALUES (1, 0, 1, 'COMPLETE'), (2, 1, 1, 'FAIL'), (3, 2, 1, 'COMPLETE'), (4, 0, 2, "
           "'COMPLETE')";
    for (const int trial : {1, 2, 3, 4}) {
      sql << "INSERT INTO trial_params VALUES (:t, 'lr', 0.5, '{\"name\": \"FloatDistribution\", \"attributes\": "
             "{}}'), (:t, "
             "'depth', 3.0, '{\"name\": \"IntDistribution\", \"attributes\": {}}'), (:t, 'kind', 1.0, '{\"name\": "
             "\"CategoricalDistribution\", \"attributes\": {\"choices\": [\"sgd\", \"a,\\\"b\\\"\"]}}')",
          soci::use(trial, "t");
    }
    sql << "INSERT INTO trial_values VALUES (1, 0, 0.125, 'FINITE'), (3, 0, NULL, 'INF_POS'), (4, 0, 1, 'FINITE')";
  }
  EXPECT_NE(message_of([&] {
              read_foreign_results({file, "", ""}, space_);
            }).find("--study: new, old"),
            std::string::npos);
  const ForeignResults found = read_foreign_results({file, "", "old"}, space_);
  ASSERT_EQ(found.rows.size(), 1u);
  EXPECT_EQ(found.rows[0].configuration, Json::parse(R"({"lr": 0.5, "depth": 3, "kind": "a,\"b\""})"));
  EXPECT_EQ(found.rows[0].metric, 0.125);
  EXPECT_EQ(found.optimize_mode, OptimizeMode::kMinimize);
  EXPECT_EQ(found.skipped.size(), 1u);
}

TEST_F(ForeignResultsTest, ReadsAStorageThatOptunaWrote) {
  const std::string file = folder_.file("optuna.db");
  {
    soci::session sql(soci::sqlite3, "db=\"" + file + "\"");
    std::string dump = read_file(HYPERFD_SOURCE_DIR "/tests/tuner/platform/optuna_5.sql");
    for (std::size_t end; (end = dump.find(";\n")) != std::string::npos; dump.erase(0, end + 2))
      sql << dump.substr(0, end);
  }
  const SearchSpace space =
      SearchSpace::parse(Json::parse(R"({"learning_rate": {"_type": "loguniform", "_value": [0.0001, 0.1]},
      "depth": {"_type": "randint", "_value": [1, 9]}, "optimizer": {"_type": "choice", "_value": ["sgd", "adam"]}})"));
  const ForeignResults found = read_foreign_results({file, "", ""}, space);
  EXPECT_TRUE(found.skipped.empty());
  ASSERT_EQ(found.rows.size(), 6u);
  for (const auto& row : found.rows) {
    const Json& parameters = row.configuration;
    EXPECT_DOUBLE_EQ(row.metric, parameters["learning_rate"].get<double>() * parameters["depth"].get<double>() +
                                     (parameters["optimizer"] == "sgd" ? 1 : 0));
  }
  EXPECT_EQ(found.optimize_mode, OptimizeMode::kMinimize);
}

// Written by Optuna 5.0: study a by two programs, the second of which found it there: three complete trials, one with
// an infinite value, a pruned one and one that was only asked for; b, deleted; and c, of two objectives.
TEST_F(ForeignResultsTest, ReadsAnOptunaJournal) {
  const std::string journal = read_file(HYPERFD_SOURCE_DIR "/tests/tuner/platform/optuna_5.journal");
  EXPECT_NE(message_of([&] { read("journal.log", journal); }).find("2 studies, choose one with --study: a, c"),
            std::string::npos);
  const auto of_study = [&](const std::string& study) {
    return read_foreign_results({folder_.file("journal.log"), "", study}, space_);
  };
  const ForeignResults found = of_study("a");
  EXPECT_EQ(found.optimize_mode, OptimizeMode::kMinimize);
  ASSERT_EQ(found.skipped.size(), 1u);
  EXPECT_NE(found.skipped[0].find("journal.log: trial 4: no finite result"), std::string::npos) << found.skipped[0];
  ASSERT_EQ(found.rows.size(), 3u);
  EXPECT_EQ(found.rows[1].configuration, Json::parse(R"({"lr": 0.5, "kind": "a,\"b\"", "depth": 2})"));
  for (const auto& row : found.rows) {
    EXPECT_DOUBLE_EQ(row.metric, row.configuration["lr"].get<double>() * row.configuration["depth"].get<double>());
  }
  EXPECT_NE(message_of([&] { of_study("b"); }).find("no study b; it has a, c"), std::string::npos);
  EXPECT_NE(message_of([&] { of_study("c"); }).find("2 objectives, expected one"), std::string::npos);
}

TEST_F(ForeignResultsTest, AFinishedTrialOfAnOptunaJournalStaysAsItIs) {
  const ForeignResults found = read("late.log", R"({"op_code": 0, "study_name": "s", "directions": [2]}
{"op_code": 4, "study_id": 0}
{"op_code": 5, "trial_id": 0, "param_name": "depth", "param_value_internal": 3, "distribution": "{\"name\": \"IntDistribution\"}"}
{"op_code": 5, "trial_id": 0, "param_name": "lr", "param_value_internal": 0.5, "distribution": "{\"name\": \"FloatDistribution\"}"}
{"op_code": 5, "trial_id": 0, "param_name": "kind", "param_value_internal": 0, "distribution": "{\"name\": \"CategoricalDistribution\", \"attributes\": {\"choices\": [\"sgd\"]}}"}
{"op_code": 6, "trial_id": 0, "state": 1, "values": [0.5]}
{"op_code": 6, "trial_id": 0, "state": 3, "values": null}
{"op_code": 6, "trial_id": 7, "state": 1, "values": [0.7]}
)");
  ASSERT_EQ(found.rows.size(), 1u);
  EXPECT_EQ(found.rows[0].metric, 0.5);
}

TEST_F(ForeignResultsTest, SaysWhereAnOptunaJournalIsBroken) {
  const std::string create = R"({"op_code": 0, "study_name": "s", "directions": [2]})";
  const ForeignResults torn = read("torn.log", create + "\n" + R"({"op_code": 4, "study_id": 0, "par)");
  EXPECT_EQ(torn.rows.size(), 0u);
  ASSERT_EQ(torn.skipped.size(), 1u);
  EXPECT_NE(torn.skipped[0].find("torn.log: line 2"), std::string::npos) << torn.skipped[0];
  const std::string trial = R"({"op_code": 4, "study_id": 0, "state": 1, "value": 0.5, "params": {"kind": 7}, )"
                            R"("distributions": {"kind": "{\"name\": \"CategoricalDistribution\", )"
                            R"(\"attributes\": {\"choices\": [\"sgd\"]}}"}})";
  const ForeignResults wrong = read("wrong.log", create + "\n" + trial);
  ASSERT_EQ(wrong.skipped.size(), 1u);
  EXPECT_NE(wrong.skipped[0].find("wrong.log: trial 0: kind: choice 7"), std::string::npos) << wrong.skipped[0];
  for (const char* line : {R"({"op_code": "x"})", R"({"op_code": 4})", R"([1])", R"({"op_code": 5, "trial_id": []})"}) {
    SCOPED_TRACE(line);
    const std::string message = message_of([&] { read("bad.log", create + "\n" + line); });
    EXPECT_NE(message.find("bad.log: line 2: not an operation"), std::string::npos) << message;
  }
  EXPECT_NE(message_of([&] { read("torn.log", create + "\n{\n" + create); }).find("torn.log: line 2: operation"),
            std::string::npos);
  EXPECT_NE(message_of([&] { read("object.json", R"({"a": 1})"); }).find("expected a list of trials"),
            std::string::npos);
}

TEST_F(ForeignResultsTest, AnotherSqliteFileIsAnError) {
  const std::string file = folder_.file("other.db");
  soci::session(soci::sqlite3, "db=\"" + file + "\"") << "CREATE TABLE trials (x)";
  EXPECT_NE(message_of([&] {
              read_foreign_results({file, "", ""}, space_);
            }).find("not an Optuna storage"),
            std::string::npos);
}

}  // namespace
}  // namespace hyperfd
