#include "trial/report/http_client.h"

#include <string>
#include <vector>

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>

#include "tuner/base/json.h"

namespace hyperfd {
namespace {

namespace beast = boost::beast;
namespace http = boost::beast::http;
using tcp = boost::asio::ip::tcp;

constexpr std::size_t kLongestReply = 64u << 20;  // NNI itself takes 50 MB

// Beast's time-outs work on asynchronous operations only, so each step is started and the context run until it is over.
class Connection {
 public:
  explicit Connection(std::chrono::milliseconds timeout) : stream_(context_), timeout_(timeout) {}

  void open(const HttpUrl& url) {
    const std::vector<tcp::endpoint> addresses = addresses_of(url);
    finish([&](auto&& done) { stream_.async_connect(addresses, [done](auto error, auto&&) { done(error); }); });
  }

  HttpReply exchange(const http::request<http::string_body>& request) {
    finish([&](auto&& done) { http::async_write(stream_, request, [done](auto error, auto) { done(error); }); });
    http::response_parser<http::string_body> parser;
    parser.body_limit(kLongestReply);
    beast::flat_buffer buffer;
    finish([&](auto&& done) { http::async_read(stream_, buffer, parser, [done](auto error, auto) { done(error); }); });
    return {static_cast<int>(parser.get().result_int()), std::move(parser.get().body())};
  }

 private:
  std::vector<tcp::endpoint> addresses_of(const HttpUrl& url) {
    if (url.host == "localhost") {  // NNI's name for itself, which a minimal container may be unable to look up
      const auto port = static_cast<unsigned short>(std::stoul(url.port));
      return {{boost::asio::ip::address_v4::loopback(), port}, {boost::asio::ip::address_v6::loopback(), port}};
    }
    tcp::resolver resolver(context_);
    // Without the default flag address_configured: it hides ::1 on machines whose only IPv6 address is the loopback's.
    const auto found = resolver.resolve(url.host, url.port, tcp::resolver::flags{});
    return {found.begin(), found.end()};
  }

  template <typename Start>
  void finish(Start&& start) {
    beast::error_code result;
    stream_.expires_after(timeout_);
    start([&result](beast::error_code error) { result = error; });
    context_.restart();
    context_.run();
    if (result) throw beast::system_error(result);
  }

  boost::asio::io_context context_;
  beast::tcp_stream stream_;
  std::chrono::milliseconds timeout_;
};

}  // namespace

std::string HttpUrl::text() const {
  const bool ipv6 = host.find(':') != std::string::npos;
  return "http://" + (ipv6 ? "[" + host + "]" : host) + ":" + port + target;
}

HttpUrl parse_http_url(const std::string& text, const std::string& what) {
  const std::string scheme = "http://";
  const auto malformed = [&] { return InputError(what + ": expected http://HOST:PORT/PATH, got " + brief(text)); };
  if (text.rfind(scheme, 0) != 0) throw malformed();
  const auto path = text.find('/', scheme.size());
  const std::string authority = text.substr(scheme.size(), path - scheme.size());

  HttpUrl url;
  if (path != std::string::npos) url.target = text.substr(path);
  std::string port;
  if (!authority.empty() && authority.front() == '[') {
    const auto bracket = authority.find(']');
    if (bracket == std::string::npos) throw malformed();
    url.host = authority.substr(1, bracket - 1);
    port = authority.substr(bracket + 1);
  } else {
    url.host = authority.substr(0, authority.find(':'));
    port = authority.substr(url.host.size());
  }
  if (!port.empty()) {
    if (port.front() != ':' || port.size() < 2 || port.find_first_not_of("0123456789", 1) != std::string::npos) {
      throw malformed();
    }
    url.port = port.substr(1);
    if (url.port.size() > 5 || std::stoul(url.port) > 65535) throw malformed();
  }
  if (url.host.empty()) throw malformed();
  return url;
}

HttpReply http_exchange(const std::string& method, const HttpUrl& url, const std::string& json,
                        std::chrono::milliseconds timeout) {
  http::request<http::string_body> request(http::string_to_verb(method), url.target, 11);
  request.set(http::field::host, url.host + ":" + url.port);
  request.set(http::field::connection, "close");
  if (!json.empty()) {
    request.set(http::field::content_type, "application/json");  // NNI drops a body of any other type silently
    request.body() = json;
  }
  request.prepare_payload();

  bool connected = false;
  try {
    Connection connection(timeout);
    connection.open(url);
    connected = true;
    return connection.exchange(request);
  } catch (const beast::system_error& error) {
    throw HttpFailure(method + " " + url.text() + ": expected a reply, got \"" + error.code().message() + "\"",
                      connected);
  }
}

}  // namespace hyperfd
