#include "trial/report/http_client.h"

#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/trial/report/fake_http_server.h"

namespace hyperfd {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

TEST(ParseHttpUrl, TakesNamesAndAddresses) {
  const HttpUrl named = parse_http_url("http://localhost:8080/env/local-env/AbCdE");
  EXPECT_EQ(named.host, "localhost");
  EXPECT_EQ(named.port, "8080");
  EXPECT_EQ(named.target, "/env/local-env/AbCdE");
  const HttpUrl ipv6 = parse_http_url("http://[::1]:80/a");
  EXPECT_EQ(ipv6.host, "::1");
  EXPECT_EQ(ipv6.text(), "http://[::1]:80/a");
  EXPECT_EQ(parse_http_url("http://10.0.0.1").text(), "http://10.0.0.1:80/");
}

TEST(ParseHttpUrl, RefusesWhatItCannotSpeak) {
  for (const char* text : {"", "localhost:8080", "https://localhost/", "import://a.B", "http://", "http:///a",
                           "http://a:/b", "http://a:x/b", "http://a:80x/b", "http://a:65536/b", "http://[::1/b", "http://[::1]80/b"}) {
    EXPECT_THAT([&] { parse_http_url(text); }, ThrowsMessage<InputError>(HasSubstr("expected http://HOST:PORT/PATH")))
        << text;
  }
}

TEST(HttpExchange, NamesTheUrlWhenTheHostIsUnknown) {
  EXPECT_THAT(
      [] { http_exchange("GET", parse_http_url("http://no-such-host.invalid/a"), "", std::chrono::seconds(5)); },
      ThrowsMessage<HttpFailure>(HasSubstr("GET http://no-such-host.invalid:80/a")));
}

TEST(HttpExchange, DoesNotWaitForEver) {
  FakeHttpServer server("127.0.0.1", [](const auto&) {
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    return FakeHttpServer::Reply{};
  });
  const HttpUrl url = parse_http_url("http://127.0.0.1:" + server.port() + "/");
  try {
    http_exchange("PUT", url, "{}", std::chrono::milliseconds(50));
    FAIL() << "expected a time-out";
  } catch (const HttpFailure& failure) {
    EXPECT_TRUE(failure.may_have_arrived());
  }
}

TEST(HttpExchange, ARefusedConnectionHasNotArrived) {
  std::optional<FakeHttpServer> server;
  server.emplace("127.0.0.1", [](const auto&) { return FakeHttpServer::Reply{}; });
  const HttpUrl url = parse_http_url("http://127.0.0.1:" + server->port() + "/");
  server.reset();
  try {
    http_exchange("GET", url, "", std::chrono::seconds(5));
    FAIL() << "expected a refusal";
  } catch (const HttpFailure& failure) {
    EXPECT_FALSE(failure.may_have_arrived());
  }
}

}  // namespace
}  // namespace hyperfd
