#pragma once

#include <chrono>
#include <string>

#include "tuner/base/error.h"

namespace hyperfd {

// http://HOST[:PORT]/TARGET; HOST may be a name, an IPv4 address or an IPv6 address in brackets.
struct HttpUrl {
  std::string host;  // without brackets
  std::string port = "80";
  std::string target = "/";

  std::string text() const;
};

// Throws InputError that quotes `text` and says what was expected.
HttpUrl parse_http_url(const std::string& text, const std::string& what = "URL");

struct HttpReply {
  int status = 0;
  std::string body;
};

// No reply came back. The message names the URL.
class HttpFailure : public ProtocolError {
 public:
  HttpFailure(const std::string& message, bool may_have_arrived)
      : ProtocolError(message), may_have_arrived_(may_have_arrived) {}

  // Whether the server may have seen the request (the connection broke after it stood): repeating it may do it twice.
  bool may_have_arrived() const { return may_have_arrived_; }

 private:
  bool may_have_arrived_;
};

// Sends one request over a connection of its own and waits for the reply, which a manager may hold back for a second.
// Tries every address of the host (`localhost` may be ::1 or 127.0.0.1 and a manager may listen on one of them only)
// and goes straight there: a proxy of the environment is not for the manager beside us. `method`: GET or PUT; `json`:
// the body, "" for none. Replies of any status are returned. Throws HttpFailure.
HttpReply http_exchange(const std::string& method, const HttpUrl& url, const std::string& json,
                        std::chrono::milliseconds timeout);

}  // namespace hyperfd
