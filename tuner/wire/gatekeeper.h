#pragma once

#include <filesystem>
#include <set>
#include <string>

#include <zmq.hpp>

namespace hyperfd::wire {

// Lets only clients with an allowed CURVE key connect: the ZAP handler (ZeroMQ RFC 27) of a context. ZeroMQ asks when a
// connection begins; the server asks again for every message. Its socket is polled by the server's loop.
class Gatekeeper {
 public:
  // Throws InputError that names the file when the list cannot be read.
  Gatekeeper(zmq::context_t& context, std::string allow_file);

  zmq::socket_ref socket() { return socket_; }
  // Answers the requests that wait at the socket.
  void answer_requests();
  // The list is read again when its file has changed; while that fails, the last good one holds.
  bool allows(const std::string& public_key);

 private:
  void refresh();

  std::string file_;
  std::filesystem::file_time_type read_at_;
  std::set<std::string> allowed_;
  zmq::socket_t socket_;
};

}  // namespace hyperfd::wire
