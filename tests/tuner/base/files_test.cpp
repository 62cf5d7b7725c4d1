#include "tuner/base/files.h"

#include <csignal>
#include <filesystem>

#include <gmock/gmock.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "tuner/base/digest.h"
#include "tuner/base/error.h"

namespace hyperfd {
namespace {

std::string empty_folder(const std::string& name) {
  const std::string folder = testing::TempDir() + "write_file_atomically/" + name;
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder);
  return folder;
}

TEST(WriteFileAtomically, ReplacesContentAndLeavesNothingElseBehind) {
  const std::string folder = empty_folder("atomic") + "/deep";
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

std::string failure_to_write(const std::string& file) {
  try {
    write_file_atomically(file, "one");
    return "";
  } catch (const InputError& error) {
    return error.what();
  }
}

TEST(WriteFileAtomically, PutsNoFileInPlaceOfPipesDevicesAndFolders) {
  const std::string folder = empty_folder("special");
  ASSERT_EQ(::mkfifo((folder + "/pipe").c_str(), 0600), 0);
  EXPECT_EQ(failure_to_write(folder + "/pipe"), folder + "/pipe: is a pipe, expected a file");
  std::filesystem::create_symlink("pipe", folder + "/link");
  EXPECT_EQ(failure_to_write(folder + "/link"), folder + "/link: is a pipe, expected a file");
  std::filesystem::create_directory(folder + "/below");
  EXPECT_EQ(failure_to_write(folder + "/below"), folder + "/below: is a folder, expected a file");
  EXPECT_TRUE(std::filesystem::is_fifo(folder + "/pipe"));
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder), {}), 3);
  // Linux's /dev/full, made anew here: only root can, and only root could do damage.
  if (::mknod((folder + "/full").c_str(), S_IFCHR | 0600, makedev(1, 7)) != 0) GTEST_SKIP() << "needs root";
  EXPECT_EQ(failure_to_write(folder + "/full"), folder + "/full: is a device, expected a file");
  EXPECT_TRUE(std::filesystem::is_character_file(folder + "/full"));
}

TEST(WriteFileAtomically, WritesBehindLinksAndKeepsThem) {
  const std::string folder = empty_folder("links");
  std::filesystem::create_directory(folder + "/elsewhere");
  std::filesystem::create_symlink("elsewhere/a.txt", folder + "/relative");
  std::filesystem::create_symlink(folder + "/relative", folder + "/absolute");
  for (const char* content : {"one", "two"}) {
    write_file_atomically(folder + "/absolute", content);
    EXPECT_EQ(read_file(folder + "/elsewhere/a.txt"), content);
  }
  EXPECT_TRUE(std::filesystem::is_symlink(folder + "/relative"));
  EXPECT_TRUE(std::filesystem::is_symlink(folder + "/absolute"));
  std::filesystem::create_symlink("loop", folder + "/loop");
  EXPECT_THAT(failure_to_write(folder + "/loop"), testing::HasSubstr("is a link to itself"));
}

TEST(WriteFileAtomically, KeepsTheOldContentWhenTheNewOneDoesNotFit) {
  const std::string folder = empty_folder("full");
  write_file_atomically(folder + "/a.txt", "one");
  struct rlimit usual = {};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &usual), 0);
  const auto usual_handler = std::signal(SIGXFSZ, SIG_IGN);
  struct rlimit small = usual;
  small.rlim_cur = 1000;
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  std::string message;
  try {
    write_file_atomically(folder + "/a.txt", std::string(2000, 'x'));
  } catch (const Error& error) {
    message = error.what();
  }
  ::setrlimit(RLIMIT_FSIZE, &usual);
  std::signal(SIGXFSZ, usual_handler);
  EXPECT_EQ(message, folder + "/a.txt: cannot be written: File too large");
  EXPECT_EQ(read_file(folder + "/a.txt"), "one");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder), {}), 1);
}

TEST(Sha256, MatchesFips180TestVector) {
  EXPECT_EQ(sha256("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(stable_hash("abc"), 0xba7816bf8f01cfeaULL);
}

}  // namespace
}  // namespace hyperfd
