#include "tuner/wire/curve_keys.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "tests/tuner/temporary_folder.h"
#include "tuner/base/error.h"
#include "tuner/base/files.h"

namespace hyperfd::wire {
namespace {

using ::testing::HasSubstr;

template <typename Action>
std::string error_of(Action&& action) {
  try {
    action();
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

TEST(CurveKeys, FilesArePrivateAndFitTogether) {
  const TemporaryFolder folder;
  const std::string keys = folder.file("deep/keys");
  write_key_files(keys);
  for (const char* name : {"server.key", "server.pub", "client.key", "client.pub", "clients.allow"}) {
    struct stat status {};
    ASSERT_EQ(::stat((keys + "/" + name).c_str(), &status), 0) << name;
    EXPECT_EQ(status.st_mode & 0777, 0600u) << name;
  }
  EXPECT_EQ(public_key_of(read_key(keys + "/server.key")), read_key(keys + "/server.pub"));
  EXPECT_EQ(public_key_of(read_key(keys + "/client.key")), read_key(keys + "/client.pub"));
  EXPECT_EQ(read_allowed_keys(keys + "/clients.allow"), std::set<std::string>{read_key(keys + "/client.pub")});
}

TEST(CurveKeys, AreNeverOverwritten) {
  const TemporaryFolder folder;
  write_key_files(folder.file("keys"));
  const std::string before = read_file(folder.file("keys/server.key"));
  EXPECT_THAT(error_of([&] { write_key_files(folder.file("keys")); }), HasSubstr("server.key: exists already"));
  EXPECT_EQ(read_file(folder.file("keys/server.key")), before);
}

TEST(CurveKeys, BadFilesAreNamedWithTheirLine) {
  const TemporaryFolder folder;
  const std::string file = folder.file("keys");
  write_file_atomically(file, "# comment\n\nnot a key\n");
  EXPECT_EQ(error_of([&] { read_allowed_keys(file); }),
            file + ": line 3: expected a CURVE key, 40 characters of Z85, got 9 characters");
  write_file_atomically(file, "");
  EXPECT_TRUE(read_allowed_keys(file).empty());
  EXPECT_THAT(error_of([&] { read_key(file); }), HasSubstr("expected one CURVE key, found 0"));
  write_file_atomically(file, std::string(40, '"'));  // not a digit of Z85
  EXPECT_THAT(error_of([&] { read_key(file); }), HasSubstr("line 1"));
}

}  // namespace
}  // namespace hyperfd::wire
