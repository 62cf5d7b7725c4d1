#include "tuner/wire/endpoint.h"

#include <cerrno>
#include <cstring>
#include <filesystem>

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "tuner/base/error.h"

namespace hyperfd::wire {
namespace {

constexpr char kIpc[] = "ipc://";
constexpr char kTcp[] = "tcp://";

bool starts_with(const std::string& text, const char* prefix) {
  return text.compare(0, std::strlen(prefix), prefix) == 0;
}

bool somebody_listens(const std::string& path) {
  const int descriptor = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return false;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.c_str(), path.size());
  const bool connected = ::connect(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
  ::close(descriptor);
  return connected;
}

}  // namespace

Endpoint parse_endpoint(const std::string& text) {
  Endpoint endpoint{text, ""};
  if (starts_with(text, kTcp)) {
    const auto colon = text.rfind(':');
    if (colon <= std::strlen(kTcp) || colon + 1 == text.size()) {
      throw InputError("endpoint: expected tcp://HOST:PORT, got \"" + text + "\"");
    }
    return endpoint;
  }
  if (!starts_with(text, kIpc) || text.size() == std::strlen(kIpc)) {
    throw InputError("endpoint: expected ipc://PATH or tcp://HOST:PORT, got \"" + text + "\"");
  }
  endpoint.path = text.substr(std::strlen(kIpc));
  constexpr std::size_t kLongest = sizeof(sockaddr_un::sun_path) - 1;
  if (endpoint.path.size() > kLongest) {
    throw InputError("endpoint: " + endpoint.path + ": a socket's path has at most " + std::to_string(kLongest) +
                     " bytes, this one has " + std::to_string(endpoint.path.size()));
  }
  return endpoint;
}

void prepare_to_bind(const Endpoint& endpoint) {
  if (!endpoint.is_ipc()) return;
  const std::filesystem::path folder = std::filesystem::path(endpoint.path).parent_path();
  if (!folder.empty()) {
    std::error_code failure;
    if (folder.has_parent_path()) std::filesystem::create_directories(folder.parent_path(), failure);
    if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) {
      throw InputError("endpoint: " + folder.string() + ": cannot be made: " + std::strerror(errno));
    }
  }
  if (somebody_listens(endpoint.path)) {
    throw InputError("endpoint: " + endpoint.text + ": another server listens there");
  }
}

}  // namespace hyperfd::wire
