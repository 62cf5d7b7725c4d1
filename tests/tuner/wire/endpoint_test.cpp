#include "tuner/wire/endpoint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "tests/tuner/temporary_folder.h"
#include "tuner/base/error.h"

namespace hyperfd::wire {
namespace {

using ::testing::HasSubstr;

std::string error_of(const std::string& text) {
  try {
    parse_endpoint(text);
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

TEST(Endpoint, IpcAndTcp) {
  EXPECT_EQ(parse_endpoint("ipc:///tmp/a.sock").path, "/tmp/a.sock");
  EXPECT_FALSE(parse_endpoint("tcp://*:7400").is_ipc());
}

TEST(Endpoint, OthersAreRefused) {
  for (const char* text :
       {"", "ipc://", "tcp://", "tcp://host", "tcp://host:", "tcp://:1", "http://host:1", "/tmp/a"}) {
    EXPECT_THAT(error_of(text), HasSubstr("expected")) << text;
  }
}

TEST(Endpoint, PathLongerThanASocketAddress) {
  EXPECT_EQ(error_of("ipc://" + std::string(107, 'a')), "");
  EXPECT_THAT(error_of("ipc://" + std::string(108, 'a')), HasSubstr("at most 107 bytes, this one has 108"));
}

TEST(Endpoint, FolderOfASocketIsPrivate) {
  const TemporaryFolder folder;
  prepare_to_bind(parse_endpoint("ipc://" + folder.file("new/deep/tuner.sock")));
  struct stat status {};
  ASSERT_EQ(::stat(folder.file("new/deep").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0700u);
}

}  // namespace
}  // namespace hyperfd::wire
