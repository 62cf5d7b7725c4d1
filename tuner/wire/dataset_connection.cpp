#include "tuner/wire/dataset_connection.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "tuner/base/log.h"
#include "tuner/wire/curve_keys.h"

namespace hyperfd::wire {
namespace {

using Clock = std::chrono::steady_clock;

// Waits in short steps, so that a stop is noticed. False: not ready in time.
bool wait_for(zmq::socket_t& socket, short event, Clock::time_point deadline, const std::function<bool()>& is_stopped) {
  constexpr auto kStep = std::chrono::milliseconds(200);
  while (!is_stopped()) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now());
    if (left.count() <= 0) return false;
    zmq::pollitem_t item{socket.handle(), 0, event, 0};
    try {
      if (zmq::poll(&item, 1, std::min<std::chrono::milliseconds>(left, kStep)) > 0) return true;
    } catch (const zmq::error_t& error) {
      if (error.num() != EINTR) throw;
    }
  }
  return false;
}

}  // namespace

DatasetConnection::DatasetConnection(ConnectionOptions options, std::function<void(const std::string& frame)> on_sent)
    : options_(std::move(options)), on_sent_(std::move(on_sent)) {
  if (!options_.server_key.empty()) public_key_ = public_key_of(options_.client_key);
}

void DatasetConnection::connect() {
  socket_.emplace(context_, zmq::socket_type::dealer);
  socket_->set(zmq::sockopt::linger, 0);
  socket_->set(zmq::sockopt::maxmsgsize, static_cast<std::int64_t>(kMaxFrameBytes));
  socket_->set(zmq::sockopt::immediate, true);  // nothing is queued for a server that is not there
  socket_->set(zmq::sockopt::heartbeat_ivl, 2000);
  socket_->set(zmq::sockopt::heartbeat_timeout, 6000);
  if (!options_.server_key.empty()) {
    socket_->set(zmq::sockopt::curve_serverkey, options_.server_key);
    socket_->set(zmq::sockopt::curve_publickey, public_key_);
    socket_->set(zmq::sockopt::curve_secretkey, options_.client_key);
  }
  try {
    socket_->connect(options_.endpoint);
  } catch (const zmq::error_t& error) {
    throw InputError("endpoint: " + options_.endpoint + ": " + error.what());
  }
}

std::optional<Message> DatasetConnection::ask(const Message& request, std::chrono::milliseconds patience,
                                              const std::function<bool()>& is_stopped) {
  if (!socket_) connect();
  const auto deadline = Clock::now() + patience;
  const std::string frame = encode(request);
  if (!wait_for(*socket_, ZMQ_POLLOUT, deadline, is_stopped)) return std::nullopt;
  on_sent_(frame);
  socket_->send(zmq::buffer(frame), zmq::send_flags::dontwait);
  sent_ += static_cast<std::int64_t>(frame.size());
  while (wait_for(*socket_, ZMQ_POLLIN, deadline, is_stopped)) {
    zmq::message_t received;
    if (!socket_->recv(received, zmq::recv_flags::dontwait)) continue;
    received_ += static_cast<std::int64_t>(received.size());
    try {
      Message reply = decode(received.to_string_view());
      if (reply.request == request.request && reply.experiment == request.experiment) return reply;
    } catch (const MalformedMessage& error) {
      spdlog::warn("{} sent something that is no message: {}", options_.endpoint, error.what());
    }
  }
  return std::nullopt;
}

}  // namespace hyperfd::wire
