#include "tuner/base/files.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <fcntl.h>
#include <unistd.h>

#include "tuner/base/error.h"

namespace hyperfd {
namespace {

[[noreturn]] void throw_errno(const std::string& what) { throw Error(what + ": " + std::strerror(errno)); }

void flush_folder(const std::string& folder) {
  const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return;  // a file system without directory handles; the rename itself is still atomic
  ::fsync(fd);
  ::close(fd);
}

}  // namespace

std::string read_file(const std::string& file) {
  if (std::filesystem::is_directory(file)) throw InputError(file + ": is a folder, expected a file");
  std::ifstream stream(file, std::ios::binary);
  if (!stream) throw InputError(file + ": cannot be read: " + std::strerror(errno));
  std::ostringstream content;
  content << stream.rdbuf();
  if (stream.bad()) throw InputError(file + ": cannot be read: " + std::strerror(errno));
  return content.str();
}

void write_file_atomically(const std::string& file, std::string_view content) {
  const std::filesystem::path path(file);
  const std::string folder = path.has_parent_path() ? path.parent_path().string() : ".";
  std::error_code failure;
  std::filesystem::create_directories(folder, failure);
  if (failure) throw Error(folder + ": cannot be created: " + failure.message());

  const std::string temporary = file + ".tmp" + std::to_string(::getpid());
  const int fd = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd < 0) throw_errno(temporary + ": cannot be written");
  std::size_t written = 0;
  while (written < content.size()) {
    const ssize_t n = ::write(fd, content.data() + written, content.size() - written);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      const int reason = errno;
      ::close(fd);
      ::unlink(temporary.c_str());
      errno = reason;
      throw_errno(file + ": cannot be written");
    }
    written += static_cast<std::size_t>(n);
  }
  const bool flushed = ::fsync(fd) == 0;
  const int reason = errno;
  ::close(fd);
  if (!flushed || ::rename(temporary.c_str(), file.c_str()) != 0) {
    if (!flushed) errno = reason;
    const int kept = errno;
    ::unlink(temporary.c_str());
    errno = kept;
    throw_errno(file + ": cannot be written");
  }
  flush_folder(folder);
}

std::string user_data_directory() {
  if (const char* data_home = std::getenv("XDG_DATA_HOME"); data_home && *data_home) {
    return std::string(data_home) + "/hyperfd";
  }
  const char* home = std::getenv("HOME");
  return std::string(home && *home ? home : ".") + "/.local/share/hyperfd";
}

}  // namespace hyperfd
