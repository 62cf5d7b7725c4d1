#include "tuner/wire/curve_keys.h"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <sstream>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zmq.h>

#include "tuner/base/error.h"
#include "tuner/base/files.h"

namespace hyperfd::wire {
namespace {

constexpr std::size_t kKeyLength = 40;

bool is_key(const std::string& text) {
  unsigned char bytes[32];
  return text.size() == kKeyLength && zmq_z85_decode(bytes, text.c_str()) != nullptr;
}

std::vector<std::string> key_lines(const std::string& file) {
  std::vector<std::string> keys;
  std::istringstream lines(read_file(file));
  std::string line;
  for (int number = 1; std::getline(lines, line); ++number) {
    line.erase(0, line.find_first_not_of(" \t\r"));
    line.erase(line.find_last_not_of(" \t\r") + 1);
    // '#' is a Z85 digit too: a line of exactly a key's length that decodes is a key.
    if (line.empty() || (line.front() == '#' && !is_key(line))) continue;
    if (!is_key(line)) {
      throw InputError(file + ": line " + std::to_string(number) +
                       ": expected a CURVE key, 40 characters of Z85, got " + std::to_string(line.size()) +
                       " characters");
    }
    keys.push_back(line);
  }
  return keys;
}

void write_private_file(const std::string& file, const std::string& content) {
  const int descriptor = ::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (descriptor < 0) throw InputError(file + ": cannot be made: " + std::strerror(errno));
  const bool written = ::write(descriptor, content.data(), content.size()) == static_cast<ssize_t>(content.size());
  const int reason = errno;
  ::close(descriptor);
  if (!written) throw InputError(file + ": cannot be written: " + std::strerror(reason));
}

}  // namespace

KeyPair make_key_pair() {
  char public_key[kKeyLength + 1], secret_key[kKeyLength + 1];
  if (zmq_curve_keypair(public_key, secret_key) != 0) throw Error("this build of ZeroMQ has no CURVE security");
  return {public_key, secret_key};
}

std::string public_key_of(const std::string& secret_key) {
  char public_key[kKeyLength + 1];
  if (!is_key(secret_key) || zmq_curve_public(public_key, secret_key.c_str()) != 0) {
    throw InputError("expected a CURVE secret key, 40 characters of Z85");
  }
  return public_key;
}

void write_key_files(const std::string& folder) {
  std::error_code failure;
  const std::filesystem::path path(folder);
  if (path.has_parent_path()) std::filesystem::create_directories(path.parent_path(), failure);
  if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) {
    throw InputError(folder + ": cannot be made: " + std::strerror(errno));
  }
  for (const char* name : {"server.key", "server.pub", "client.key", "client.pub", "clients.allow"}) {
    const std::string file = (path / name).string();
    if (std::filesystem::exists(file, failure)) throw InputError(file + ": exists already; keys are never overwritten");
  }
  const KeyPair server = make_key_pair(), client = make_key_pair();
  write_private_file((path / "server.key").string(), server.secret_key + "\n");
  write_private_file((path / "server.pub").string(), server.public_key + "\n");
  write_private_file((path / "client.key").string(), client.secret_key + "\n");
  write_private_file((path / "client.pub").string(), client.public_key + "\n");
  write_private_file((path / "clients.allow").string(),
                     "# Public keys of the clients that may connect, one a line; a change works at once.\n" +
                         client.public_key + "\n");
}

std::string read_key(const std::string& file) {
  const std::vector<std::string> keys = key_lines(file);
  if (keys.size() != 1) {
    throw InputError(file + ": expected one CURVE key, found " + std::to_string(keys.size()));
  }
  return keys.front();
}

std::set<std::string> read_allowed_keys(const std::string& file) {
  const std::vector<std::string> keys = key_lines(file);
  return {keys.begin(), keys.end()};
}

}  // namespace hyperfd::wire
