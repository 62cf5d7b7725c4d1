#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <zmq.hpp>

#include "tuner/wire/codec.h"

namespace hyperfd::wire {

struct ConnectionOptions {
  std::string endpoint;    // ipc://PATH or tcp://HOST:PORT
  std::string server_key;  // the server's public CURVE key; "": without encryption
  std::string client_key;  // this client's secret key
};

// A DEALER to a hyperfd-tuner: one request at a time.
class DatasetConnection {
 public:
  // `on_sent` sees every frame before it goes out. Throws InputError for keys that are none.
  DatasetConnection(ConnectionOptions options, std::function<void(const std::string& frame)> on_sent);

  // Sends the request once and waits for its reply; nullopt: none came in time, or `is_stopped` says so. Sending the
  // same message again is safe.
  std::optional<Message> ask(const Message& request, std::chrono::milliseconds patience,
                             const std::function<bool()>& is_stopped);

  // Bytes of all messages so far.
  std::int64_t sent() const { return sent_; }
  std::int64_t received() const { return received_; }

 private:
  void connect();

  std::int64_t sent_ = 0, received_ = 0;
  ConnectionOptions options_;
  std::string public_key_;
  std::function<void(const std::string& frame)> on_sent_;
  zmq::context_t context_;
  std::optional<zmq::socket_t> socket_;
};

}  // namespace hyperfd::wire
