#pragma once

#include <chrono>
#include <optional>
#include <string>

#include <zmq.hpp>

#include "tuner/wire/codec.h"

namespace hyperfd::wire {

// A DEALER client for tests.
class TestClient {
 public:
  explicit TestClient(const std::string& endpoint, const std::string& server_public = "",
                      const std::string& own_public = "", const std::string& own_secret = "")
      : socket_(context_, zmq::socket_type::dealer) {
    socket_.set(zmq::sockopt::linger, 0);
    if (!server_public.empty()) {
      socket_.set(zmq::sockopt::curve_serverkey, server_public);
      socket_.set(zmq::sockopt::curve_publickey, own_public);
      socket_.set(zmq::sockopt::curve_secretkey, own_secret);
    }
    socket_.connect(endpoint);
  }

  zmq::socket_t& socket() { return socket_; }

  void send(const std::string& frame) { socket_.send(zmq::buffer(frame), zmq::send_flags::none); }

  // The next reply, nullopt if none comes in time.
  std::optional<Message> receive(std::chrono::milliseconds patience = std::chrono::seconds(30)) {
    zmq::pollitem_t item{socket_.handle(), 0, ZMQ_POLLIN, 0};
    if (zmq::poll(&item, 1, patience) == 0) return std::nullopt;
    zmq::message_t frame;
    if (!socket_.recv(frame)) return std::nullopt;
    return decode(frame.to_string_view());
  }

  std::optional<Message> ask(const Message& request, std::chrono::milliseconds patience = std::chrono::seconds(30)) {
    send(encode(request));
    return receive(patience);
  }

 private:
  zmq::context_t context_;
  zmq::socket_t socket_;
};

}  // namespace hyperfd::wire
