#pragma once

#include <string>

namespace hyperfd::wire {

// `ipc://PATH` or `tcp://HOST:PORT`.
struct Endpoint {
  std::string text;
  std::string path;  // of the socket file; "" for tcp

  bool is_ipc() const { return !path.empty(); }
};

// Throws InputError: another scheme, a path longer than a socket address holds (107 bytes).
Endpoint parse_endpoint(const std::string& text);

// For ipc: makes the socket's folder (0700 if new) and checks that no living server listens there, since binding would
// take its clients away. A socket file left by a dead one is no obstacle. Throws InputError.
void prepare_to_bind(const Endpoint& endpoint);

}  // namespace hyperfd::wire
