#pragma once

#include <stdexcept>
#include <string>

namespace hyperfd {

// The one exception hierarchy. A message names the file, field and value, and says what was expected.
// Caught only in main() (one line on stderr) and at process boundaries (a typed reply).
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// Something a user gave us is wrong: a file, an option, a configuration. Exit code 2.
class InputError : public Error {
 public:
  using Error::Error;
};

// A peer broke the protocol, or is not there. Exit code 3.
class ProtocolError : public Error {
 public:
  using Error::Error;
};

// The experience store cannot be opened, read or written. Exit code 4.
class StoreError : public Error {
 public:
  using Error::Error;
};

// The exit code that main() returns for `error`.
inline int exit_code(const std::exception& error) {
  if (dynamic_cast<const InputError*>(&error)) return 2;
  if (dynamic_cast<const ProtocolError*>(&error)) return 3;
  if (dynamic_cast<const StoreError*>(&error)) return 4;
  return 1;
}

}  // namespace hyperfd
