#pragma once

#include <cstdint>
#include <fstream>
#include <string>

namespace hyperfd {

// What left this machine: one line of JSON for every message, {"time": UTC, "message": its type, "bytes", "sha256"},
// on disk before the message goes. docs/privacy.md says what the messages are.
class EgressLog {
 public:
  // Appends to the file. Throws InputError that names it.
  explicit EgressLog(const std::string& file);

  // A frame of the protocol. Throws Error when the line cannot be written: then nothing must be sent.
  void add(const std::string& frame);

  std::int64_t bytes() const { return bytes_; }  // of this object's messages

 private:
  std::string file_;
  std::ofstream stream_;
  std::int64_t bytes_ = 0;
};

}  // namespace hyperfd
