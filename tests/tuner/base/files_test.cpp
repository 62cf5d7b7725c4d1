#include "tuner/base/files.h"

#include <filesystem>

#include <gmock/gmock.h>

#include "tuner/base/digest.h"
#include "tuner/base/error.h"

namespace hyperfd {
namespace {

TEST(WriteFileAtomically, ReplacesContentAndLeavesNothingElseBehind) {
  const std::string folder = testing::TempDir() + "atomic/deep";
  std::filesystem::remove_all(folder);
  write_file_atomically(folder + "/a.txt", "one");
  write_file_atomically(folder + "/a.txt", "two");
  EXPECT_EQ(read_file(folder + "/a.txt"), "two");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder), {}), 1);
}

TEST(WriteFileAtomically, NamesTheFileThatCannotBeWritten) {
  try {
    write_file_atomically("/proc/nothing/a.txt", "one");
    FAIL() << "expected an Error";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("/proc/nothing"));
  }
}

TEST(Sha256, MatchesFips180TestVector) {
  EXPECT_EQ(sha256("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(stable_hash("abc"), 0xba7816bf8f01cfeaULL);
}

}  // namespace
}  // namespace hyperfd
