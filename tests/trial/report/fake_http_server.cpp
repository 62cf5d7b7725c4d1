#include "tests/trial/report/fake_http_server.h"

#include <boost/asio/ip/address.hpp>
#include <boost/beast/core/flat_buffer.hpp>

namespace hyperfd {

namespace http = boost::beast::http;
using tcp = boost::asio::ip::tcp;

FakeHttpServer::FakeHttpServer(const std::string& address, Handler handler)
    : acceptor_(context_, tcp::endpoint(boost::asio::ip::make_address(address), 0)),
      handler_(std::move(handler)),
      thread_([this] { serve(); }) {}

FakeHttpServer::~FakeHttpServer() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
  }
  boost::system::error_code ignored;
  tcp::socket wake_up(context_);
  wake_up.connect(acceptor_.local_endpoint(), ignored);
  thread_.join();
}

std::vector<FakeHttpServer::Request> FakeHttpServer::requests() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return requests_;
}

void FakeHttpServer::serve() {
  while (true) {
    boost::system::error_code error;
    tcp::socket socket(context_);
    acceptor_.accept(socket, error);
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      if (stopping_) return;
    }
    if (error) continue;

    boost::beast::flat_buffer buffer;
    http::request<http::string_body> request;
    http::read(socket, buffer, request, error);
    if (error) continue;
    const Request seen = {request.method_string().to_string(), request.target().to_string(),
                          request[http::field::content_type].to_string(), request.body()};
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      requests_.push_back(seen);
    }
    const std::optional<Reply> reply = handler_(seen);
    if (!reply) continue;
    http::response<http::string_body> response(static_cast<http::status>(reply->status), 11);
    response.body() = reply->body;
    response.keep_alive(false);
    response.prepare_payload();
    http::write(socket, response, error);
  }
}

}  // namespace hyperfd
