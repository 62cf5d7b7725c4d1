#include "tuner/wire/gatekeeper.h"

#include <utility>
#include <vector>

#include <zmq_addon.hpp>

#include "tuner/base/error.h"
#include "tuner/base/log.h"
#include "tuner/wire/curve_keys.h"

namespace hyperfd::wire {

Gatekeeper::Gatekeeper(zmq::context_t& context, std::string allow_file)
    : file_(std::move(allow_file)), socket_(context, zmq::socket_type::router) {
  std::error_code failure;
  read_at_ = std::filesystem::last_write_time(file_, failure);  // before reading, so that no later change is missed
  allowed_ = read_allowed_keys(file_);
  socket_.set(zmq::sockopt::linger, 0);
  socket_.bind("inproc://zeromq.zap.01");
}

void Gatekeeper::answer_requests() {
  while (true) {
    std::vector<zmq::message_t> request;
    if (!zmq::recv_multipart(socket_, std::back_inserter(request), zmq::recv_flags::dontwait)) return;
    // Sender, delimiter, version, request id, domain, address, identity, mechanism, credentials.
    if (request.size() < 8) continue;
    std::string key;
    if (request.size() == 9 && request[7].to_string_view() == "CURVE" && request[8].size() == 32) {
      char text[41];
      zmq_z85_encode(text, request[8].data<unsigned char>(), 32);
      key = text;
    }
    const bool allowed = allows(key);
    if (!allowed) spdlog::warn("client {} refused: key {} is not in {}", request[5].to_string(), key, file_);
    std::vector<zmq::const_buffer> reply = {zmq::buffer(request[0].to_string_view()), zmq::str_buffer("")};
    reply.push_back(zmq::str_buffer("1.0"));
    reply.push_back(zmq::buffer(request[3].to_string_view()));
    reply.push_back(allowed ? zmq::str_buffer("200") : zmq::str_buffer("400"));
    reply.push_back(allowed ? zmq::str_buffer("OK") : zmq::str_buffer("this key is not allowed"));
    reply.push_back(zmq::buffer(key));  // the user id
    reply.push_back(zmq::str_buffer(""));
    zmq::send_multipart(socket_, reply);
  }
}

void Gatekeeper::refresh() {
  std::error_code failure;
  const auto changed_at = std::filesystem::last_write_time(file_, failure);
  if (failure || changed_at == read_at_) return;
  read_at_ = changed_at;
  try {
    allowed_ = read_allowed_keys(file_);
    spdlog::info("{}: read again, {} keys", file_, allowed_.size());
  } catch (const InputError& error) {
    spdlog::error("{}; the last good list holds", error.what());
  }
}

bool Gatekeeper::allows(const std::string& public_key) {
  refresh();
  return allowed_.count(public_key) > 0;
}

}  // namespace hyperfd::wire
