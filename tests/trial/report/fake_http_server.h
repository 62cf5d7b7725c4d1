#pragma once

#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/http.hpp>

namespace hyperfd {

// An HTTP server inside the test: answers one request a connection, by a function of the test.
class FakeHttpServer {
 public:
  struct Request {
    std::string method, target, content_type, body;
  };
  struct Reply {
    int status = 200;
    std::string body;
  };
  // Called on the server's thread, one request at a time. None: the connection is closed without a reply.
  using Handler = std::function<std::optional<Reply>(const Request&)>;

  // Listens on a free port of `address` ("127.0.0.1", "::1"). Throws boost::system::system_error where the machine has
  // no such address.
  FakeHttpServer(const std::string& address, Handler handler);
  ~FakeHttpServer();

  std::string port() const { return std::to_string(acceptor_.local_endpoint().port()); }
  std::vector<Request> requests() const;

 private:
  void serve();

  boost::asio::io_context context_;
  boost::asio::ip::tcp::acceptor acceptor_;
  Handler handler_;
  mutable std::mutex mutex_;
  std::vector<Request> requests_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace hyperfd
