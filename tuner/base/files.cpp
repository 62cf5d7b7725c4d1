#include "tuner/base/files.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tuner/base/error.h"

namespace hyperfd {
namespace {

[[noreturn]] void throw_errno(const std::string& what) {
  throw Error(what + ": " + std::strerror(errno));
}

class OpenFile {
 public:
  explicit OpenFile(int descriptor) : descriptor_(descriptor) {}
  ~OpenFile() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;
  int get() const { return descriptor_; }

 private:
  int descriptor_;
};

// Sets errno when it fails.
bool write_all(int descriptor, std::string_view content) {
  while (!content.empty()) {
    const ssize_t n = ::write(descriptor, content.data(), content.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return false;
    content.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

void flush_folder(const std::string& folder) {
  const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return;  // a file system without directory handles; the rename itself is still atomic
  ::fsync(fd);
  ::close(fd);
}

// Renaming onto a device or a pipe would put a file in its place, for everybody.
void check_replaceable(const std::string& file) {
  struct stat status = {};
  if (::stat(file.c_str(), &status) != 0 || S_ISREG(status.st_mode)) return;
  const char* kind = S_ISDIR(status.st_mode)    ? "a folder"
                     : S_ISFIFO(status.st_mode) ? "a pipe"
                     : S_ISSOCK(status.st_mode) ? "a socket"
                                                : "a device";
  throw InputError(file + ": is " + kind + ", expected a file");
}

// What a chain of links ends in; it need not exist.
std::filesystem::path behind_links(std::filesystem::path path) {
  constexpr int kLongestChain = 40;  // Linux follows as many
  for (int i = 0; i < kLongestChain; ++i) {
    std::error_code not_a_link;
    const std::filesystem::path target = std::filesystem::read_symlink(path, not_a_link);
    if (not_a_link) return path;
    path = path.parent_path() / target;
  }
  throw InputError(path.string() + ": is a link to itself");
}

}  // namespace

std::string read_file(const std::string& file) {
  const OpenFile opened(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat status = {};
  if (opened.get() < 0 || ::fstat(opened.get(), &status) != 0) {
    throw InputError(file + ": cannot be read: " + std::strerror(errno));
  }
  if (S_ISDIR(status.st_mode)) throw InputError(file + ": is a folder, expected a file");
  std::string content;
  content.reserve(static_cast<std::size_t>(status.st_size));
  std::vector<char> part(std::size_t{1} << 16);
  while (true) {
    const ssize_t n = ::read(opened.get(), part.data(), part.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw InputError(file + ": cannot be read: " + std::strerror(errno));
    if (n == 0) return content;
    content.append(part.data(), static_cast<std::size_t>(n));
  }
}

void write_file_atomically(const std::string& file, std::string_view content) {
  check_replaceable(file);
  const std::filesystem::path path = behind_links(file);
  const std::string folder = path.has_parent_path() ? path.parent_path().string() : ".";
  std::error_code failure;
  std::filesystem::create_directories(folder, failure);
  if (failure) throw Error(folder + ": cannot be created: " + failure.message());

  const std::string temporary = path.string() + ".tmp" + std::to_string(::getpid());
  const int fd = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd < 0) throw_errno(temporary + ": cannot be written");
  const bool flushed = write_all(fd, content) && ::fsync(fd) == 0;
  const int reason = errno;
  ::close(fd);
  if (!flushed || ::rename(temporary.c_str(), path.c_str()) != 0) {
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
