#include "trial/describe/privacy_ledger.h"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <sstream>
#include <utility>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "tuner/base/error.h"
#include "tuner/base/json.h"
#include "tuner/wire/dataset_server.h"

namespace hyperfd {
namespace {

// The file, while nobody else reads or writes it.
class LockedFile {
 public:
  explicit LockedFile(const std::string& file)
      : file_(file), descriptor_(::open(file.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600)) {
    if (descriptor_ < 0) fail("cannot be opened");
    while (::flock(descriptor_, LOCK_EX) != 0) {
      if (errno != EINTR) fail("cannot be locked");
    }
  }
  LockedFile(const LockedFile&) = delete;
  LockedFile& operator=(const LockedFile&) = delete;
  ~LockedFile() { ::close(descriptor_); }

  // From byte `begin` on.
  std::string read(std::size_t begin) const {
    std::string content;
    char part[4096];
    ssize_t count = 0;
    while ((count = ::pread(descriptor_, part, sizeof part, static_cast<off_t>(begin + content.size()))) > 0) {
      content.append(part, static_cast<std::size_t>(count));
    }
    if (count < 0) fail("cannot be read");
    return content;
  }
  // On disk when it returns.
  void append(const std::string& text) const {
    if (::write(descriptor_, text.data(), text.size()) != static_cast<ssize_t>(text.size()) ||
        ::fsync(descriptor_) != 0) {
      fail("cannot be written; nothing is released without its line there");
    }
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw InputError(file_ + ": " + what + ": " + std::strerror(errno));
  }

  std::string file_;
  int descriptor_;
};

}  // namespace

PrivacyLedger::PrivacyLedger(std::string file, double epsilon, double delta)
    : file_(std::move(file)), epsilon_(epsilon), delta_(delta) {
  if (!(epsilon > 0)) throw InputError("epsilon: expected a positive number, got " + std::to_string(epsilon));
  spent();  // checks delta
  if (std::filesystem::exists(file_)) add_lines(LockedFile(file_).read(0));
}

void PrivacyLedger::add_lines(const std::string& content) {
  std::istringstream stream(content);
  std::string line;
  while (std::getline(stream, line)) {
    const std::string place = file_ + ": line " + std::to_string(lines_ + 1);
    const Json entry = parse_json(line, place);
    if (!entry.is_object() || !entry.contains("noise_multiplier") || !entry["noise_multiplier"].is_number()) {
      throw InputError(place + ": expected {\"noise_multiplier\": NUMBER}, got " + brief(entry));
    }
    spent_.add_gaussian(entry["noise_multiplier"].get<double>());
    if (const auto name = entry.find("name"); name != entry.end()) {
      if (!name->is_string() || !entry.contains("value") || !entry["value"].is_number()) {
        throw InputError(place + ": expected {\"name\": TEXT, \"value\": NUMBER}, got " + brief(entry));
      }
      told_.emplace(name->get<std::string>(), entry["value"].get<double>());
    }
    ++lines_;
  }
  bytes_ += content.size();
}

bool PrivacyLedger::has_room(double noise_multiplier, std::int64_t releases) const {
  PrivacyAccountant after = spent_;
  after.add_gaussian(noise_multiplier, releases);
  return after.epsilon(delta_) <= epsilon_;
}

void PrivacyLedger::spend(double noise_multiplier) {
  add(noise_multiplier, {});
}

std::optional<double> PrivacyLedger::told(const std::string& name) const {
  const auto found = told_.find(name);
  return found == told_.end() ? std::nullopt : std::optional<double>(found->second);
}

double PrivacyLedger::tell(const std::string& name, double value, double noise_multiplier) {
  add(noise_multiplier, {{"name", name}, {"value", value}});
  return told_.at(name);
}

void PrivacyLedger::add(double noise_multiplier, Json entry) {
  const LockedFile file(file_);
  add_lines(file.read(bytes_));  // another program may have spent meanwhile
  if (entry.contains("name") && told_.count(entry["name"])) return;
  if (!has_room(noise_multiplier, 1)) {
    throw wire::OrderRefused("the privacy budget, epsilon " + Json(epsilon_).dump() + ", is spent");
  }
  entry["noise_multiplier"] = noise_multiplier;
  const std::string line = entry.dump() + "\n";
  file.append(line);
  add_lines(line);
}

}  // namespace hyperfd
