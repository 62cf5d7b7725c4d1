#include "trial/training/output_folder.h"

#include <cstdlib>
#include <filesystem>

#include <gtest/gtest.h>
#include <unistd.h>

#include "tests/message_of.h"
#include "tuner/base/files.h"

namespace hyperfd {
namespace {

namespace fs = std::filesystem;

// In a working directory of its own, outside NNI.
class OutputFolderTest : public testing::Test {
 protected:
  OutputFolderTest()
      : before_(fs::current_path()), here_(testing::TempDir() + "output_folder" + std::to_string(::getpid())) {
    ::unsetenv("NNI_OUTPUT_DIR");
    fs::create_directories(here_);
    fs::current_path(here_);
  }
  ~OutputFolderTest() override {
    fs::current_path(before_);
    fs::remove_all(here_);
  }

  fs::path before_, here_;
  Recipe recipe_ = load_recipe("mini", {});
};

TEST_F(OutputFolderTest, RunsOfOneSecondHaveFoldersOfTheirOwn) {
  OutputFolder first(""), second(""), third("");
  EXPECT_NE(first.path(), second.path());
  EXPECT_NE(second.path(), third.path());
  EXPECT_EQ(first.path().compare(0, 5, "runs/"), 0);
  EXPECT_TRUE(fs::is_directory(third.path()));
}

TEST_F(OutputFolderTest, ASecondRunInTheSameFolderIsRefused) {
  {
    const OutputFolder first("a");
    EXPECT_EQ(message_of([] { OutputFolder second("a"); }), "a: another hyperfd-trial writes there (process " +
                                                                std::to_string(::getpid()) +
                                                                "); choose another folder or wait for it");
  }
  EXPECT_EQ(message_of([] { OutputFolder second("a"); }), "no InputError");
}

TEST_F(OutputFolderTest, ARunThatDoesNotBeginLeavesNothing) {
  write_file_atomically("old/train.jsonl", "an epoch\n");
  { const OutputFolder made("new"), there("old"); }
  EXPECT_FALSE(fs::exists("new"));
  EXPECT_EQ(read_file("old/train.jsonl"), "an epoch\n");
}

TEST_F(OutputFolderTest, AFinishedRunIsKnownByItsResult) {
  const OutputFolder out("a");
  EXPECT_TRUE(out.finished_result().is_null());
  EXPECT_NO_THROW(out.refuse_finished_run());
  write_file_atomically("a/result.json", R"({"ending": "interrupted"})");
  EXPECT_TRUE(out.finished_result().is_null());
  write_file_atomically("a/result.json", R"({"ending": "stagnated"})");
  EXPECT_EQ(out.finished_result()["ending"], "stagnated");
  EXPECT_EQ(message_of([&] { out.refuse_finished_run(); }),
            "a: holds a finished run (its result.json); choose another folder or remove it");
}

TEST_F(OutputFolderTest, ARunBeginsWithItsOwnFilesAlone) {
  write_file_atomically("a/result.json", R"({"ending": "interrupted"})");
  write_file_atomically("a/train.jsonl", "an epoch\n");
  {
    OutputFolder out("a");
    EXPECT_FALSE(out.is_of(recipe_));
    out.begin(recipe_, {"mapped", "a layer"}, {});
    EXPECT_TRUE(out.is_of(recipe_));
    EXPECT_FALSE(fs::exists("a/result.json"));
    EXPECT_EQ(read_file("a/train.jsonl"), "");
    EXPECT_EQ(read_file("a/remapping.txt"), "mapped\na layer\n");
    EpochReport epoch;
    epoch.epoch = 1;
    out.append_epoch(epoch);
    out.begin(recipe_, {}, {});
    EXPECT_NE(read_file("a/train.jsonl"), "") << "a run begins once";
  }
  OutputFolder("a").begin(recipe_, {}, {});
  EXPECT_FALSE(fs::exists("a/remapping.txt"));
}

}  // namespace
}  // namespace hyperfd
