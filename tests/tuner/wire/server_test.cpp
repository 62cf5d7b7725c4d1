#include "tuner/wire/server.h"

#include <atomic>
#include <filesystem>
#include <thread>

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/tuner/temporary_folder.h"
#include "tests/tuner/wire/test_client.h"
#include "tuner/base/error.h"
#include "tuner/base/files.h"
#include "tuner/base/rng.h"
#include "tuner/platform/sqlite_store.h"
#include "tuner/wire/curve_keys.h"

namespace hyperfd::wire {
namespace {

using ::testing::HasSubstr;
using namespace std::chrono_literals;

// Long enough for a handshake that succeeds, and waited out by those that must not.
constexpr std::chrono::milliseconds kRefused = 700ms;

const Message kPing{"-", "q", Ping{}};

ServerOptions at(const std::string& endpoint) {
  ServerOptions options;
  options.endpoint = endpoint;
  return options;
}

class ServerTest : public ::testing::Test {
 protected:
  ~ServerTest() override {
    if (server_) server_->stop();
    if (thread_.joinable()) thread_.join();
  }

  void start(ServerOptions options) {
    server_ = std::make_unique<Server>(*store_, options);
    thread_ = std::thread([this] { server_->run(); });
  }
  void start_with_keys() {
    write_key_files(keys_);
    ServerOptions options = at("tcp://127.0.0.1:*");
    options.server_key = keys_ + "/server.key";
    options.allow_file = keys_ + "/clients.allow";
    start(options);
  }
  void start_insecure() {
    ServerOptions options = at("tcp://127.0.0.1:*");
    options.insecure = true;
    start(options);
  }
  std::string error_of(const ServerOptions& options) {
    try {
      Server server(*store_, options);
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  }

  TemporaryFolder folder_;
  std::string keys_ = folder_.file("keys");
  std::unique_ptr<ExperienceStore> store_ = open_store(":memory:");
  std::unique_ptr<Server> server_;
  std::thread thread_;
};

TEST_F(ServerTest, AnswersSeveralClients) {
  start(at("ipc://" + folder_.file("tuner.sock")));
  TestClient one(server_->endpoint()), two(server_->endpoint());
  one.send(encode({"-", "one", Ping{}}));
  two.send(encode({"-", "two", Ping{}}));
  EXPECT_EQ(two.receive()->request, "two");
  EXPECT_EQ(one.receive()->request, "one");
}

TEST_F(ServerTest, SecondServerOnOneEndpointRefuses) {
  start(at("ipc://" + folder_.file("tuner.sock")));
  EXPECT_THAT(error_of(at("ipc://" + folder_.file("tuner.sock"))), HasSubstr("another server listens there"));
  EXPECT_TRUE(TestClient(server_->endpoint()).ask(kPing));
}

TEST_F(ServerTest, SocketFileOfADeadServerIsNoObstacle) {
  const std::string path = folder_.file("tuner.sock");
  const int descriptor = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof(address.sun_path) - 1);
  ASSERT_EQ(::bind(descriptor, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  ::close(descriptor);
  start(at("ipc://" + path));
  EXPECT_TRUE(TestClient(server_->endpoint()).ask(kPing));
}

TEST_F(ServerTest, IdleServerEnds) {
  ServerOptions options = at("ipc://" + folder_.file("tuner.sock"));
  options.idle_exit = 1s;
  const auto started = std::chrono::steady_clock::now();
  start(options);
  TestClient client(server_->endpoint());
  std::this_thread::sleep_for(600ms);
  EXPECT_TRUE(client.ask(kPing));
  thread_.join();
  EXPECT_GE(std::chrono::steady_clock::now() - started, 1600ms) << "a message begins the idle time anew";
  server_.reset();
  EXPECT_FALSE(std::filesystem::exists(folder_.file("tuner.sock")));
}

TEST_F(ServerTest, WrongNumberOfFramesIsAnswered) {
  start(at("ipc://" + folder_.file("tuner.sock")));
  TestClient client(server_->endpoint());
  client.socket().send(zmq::str_buffer(""), zmq::send_flags::sndmore);
  client.send(encode(kPing));
  const auto reply = client.receive();
  ASSERT_TRUE(reply);
  EXPECT_EQ(std::get<Failure>(reply->body).code, "malformed");
}

TEST_F(ServerTest, TcpNeedsKeysOrTheUsersWord) {
  EXPECT_THAT(error_of(at("tcp://127.0.0.1:*")), HasSubstr("tcp needs server-key and allow"));
  ServerOptions half = at("tcp://127.0.0.1:*");
  half.server_key = "somewhere";
  EXPECT_THAT(error_of(half), HasSubstr("no use without the other"));
  half.allow_file = half.server_key = folder_.file("missing");
  EXPECT_THAT(error_of(half), HasSubstr("missing: cannot be read"));
  start_insecure();
  EXPECT_TRUE(TestClient(server_->endpoint()).ask(kPing));
}

TEST_F(ServerTest, OnlyAllowedKeysGetIn) {
  start_with_keys();
  const std::string server_public = read_key(keys_ + "/server.pub");
  const std::string secret = read_key(keys_ + "/client.key");
  const KeyPair stranger = make_key_pair();
  EXPECT_TRUE(TestClient(server_->endpoint(), server_public, public_key_of(secret), secret).ask(kPing));
  EXPECT_FALSE(
      TestClient(server_->endpoint(), server_public, stranger.public_key, stranger.secret_key).ask(kPing, kRefused))
      << "a key that is not on the list";
  EXPECT_FALSE(TestClient(server_->endpoint()).ask(kPing, kRefused)) << "no key at all";
  EXPECT_FALSE(TestClient(server_->endpoint(), stranger.public_key, public_key_of(secret), secret).ask(kPing, kRefused))
      << "a server key that is not this server's";
  EXPECT_TRUE(TestClient(server_->endpoint(), server_public, public_key_of(secret), secret).ask(kPing))
      << "the refused ones must not disturb the others";
}

TEST_F(ServerTest, AllowListIsReadAgainWhenItChanges) {
  start_with_keys();
  const std::string server_public = read_key(keys_ + "/server.pub");
  const KeyPair late = make_key_pair();
  const auto gets_in = [&](std::chrono::milliseconds patience) {
    return TestClient(server_->endpoint(), server_public, late.public_key, late.secret_key)
        .ask(kPing, patience)
        .has_value();
  };
  EXPECT_FALSE(gets_in(kRefused));
  write_file_atomically(keys_ + "/clients.allow", late.public_key + "\n");
  EXPECT_TRUE(gets_in(30s));
  write_file_atomically(keys_ + "/clients.allow", "broken\n");
  EXPECT_TRUE(gets_in(30s)) << "the last good list holds";
  write_file_atomically(keys_ + "/clients.allow", "# nobody\n");
  EXPECT_FALSE(gets_in(kRefused));
}

TEST_F(ServerTest, AKeyThatIsTakenOffTheListIsCutOff) {
  start_with_keys();
  const std::string server_public = read_key(keys_ + "/server.pub"), secret = read_key(keys_ + "/client.key");
  TestClient client(server_->endpoint(), server_public, public_key_of(secret), secret);
  EXPECT_TRUE(client.ask(kPing));
  write_file_atomically(keys_ + "/clients.allow", "# nobody\n");
  EXPECT_FALSE(client.ask(kPing, kRefused)) << "its connection stands";
}

TEST_F(ServerTest, ARepeatedRequestWaitsWithTheFirst) {
  std::atomic<bool> goes_on{false};
  ServerOptions options = at("ipc://" + folder_.file("socket"));
  options.learning_patience = 30s;
  options.learn = [&](const LearningJob& job) {
    while (!goes_on) std::this_thread::sleep_for(5ms);
    return learn_ranker(job);
  };
  start(options);
  TestClient client(server_->endpoint());
  const Initialize start{"r", R"({"x":{"_type":"uniform","_value":[0,1]}})", OptimizeMode::kMaximize, 2, "random", 1};
  ASSERT_TRUE(client.ask({"first", "1", start}));
  ASSERT_TRUE(client.ask({"first", "2", RequestTrialJobs{"r", {0, 1}}}));
  for (const int id : {0, 1}) {
    const std::string value = std::to_string(0.1 * id), request = "result" + std::to_string(id);
    ASSERT_TRUE(client.ask({"first", request, ReportMetric{"r", id, "", MetricKind::kFinal, 0, value, ""}}));
  }
  EXPECT_FALSE(client.ask({"second", "1", start}, 200ms)) << "the ranker learns";
  EXPECT_FALSE(client.ask({"second", "1", start}, 200ms));
  goes_on = true;
  const auto reply = client.receive();
  ASSERT_TRUE(reply);
  EXPECT_TRUE(std::holds_alternative<Initialized>(reply->body));
  EXPECT_FALSE(client.receive(200ms)) << "one answer";
}

TEST_F(ServerTest, AClientsExperimentsAreItsOwn) {
  start_with_keys();
  const std::string server_public = read_key(keys_ + "/server.pub"), secret = read_key(keys_ + "/client.key");
  const KeyPair other = make_key_pair();
  write_file_atomically(keys_ + "/clients.allow", public_key_of(secret) + "\n" + other.public_key + "\n");
  TestClient alice(server_->endpoint(), server_public, public_key_of(secret), secret);
  TestClient bob(server_->endpoint(), server_public, other.public_key, other.secret_key);
  const Initialize start{"r", R"({"x":{"_type":"uniform","_value":[0,1]}})", OptimizeMode::kMaximize, 4, "random", 1};
  ASSERT_TRUE(std::holds_alternative<Initialized>(alice.ask({"e", "1", start})->body));
  const Body reply = bob.ask({"e", "2", RequestTrialJobs{"r", {0}}})->body;
  ASSERT_TRUE(std::holds_alternative<Failure>(reply));
  EXPECT_EQ(std::get<Failure>(reply).code, "unknown_experiment");
  EXPECT_TRUE(std::holds_alternative<NewTrialJobs>(alice.ask({"e", "2", RequestTrialJobs{"r", {0}}})->body));
}

void send_raw(const std::string& endpoint, const std::string& bytes) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(std::stoi(endpoint.substr(endpoint.rfind(':') + 1))));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int descriptor = ::socket(AF_INET, SOCK_STREAM, 0);
  ASSERT_EQ(::connect(descriptor, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  [[maybe_unused]] const ssize_t sent = ::send(descriptor, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  ::close(descriptor);
}

TEST_F(ServerTest, RawTcpGarbageDoesNotDisturb) {
  start_insecure();
  TestClient client(server_->endpoint());
  ASSERT_TRUE(client.ask(kPing));
  Rng rng(4);
  const std::string greeting("\xff\0\0\0\0\0\0\0\x01\x7f\x03\0NULL", 16);
  for (int i = 0; i < 200; ++i) {
    std::string bytes = i % 4 == 0 ? "GET / HTTP/1.1\r\nHost: x\r\n\r\n" : i % 4 == 1 ? greeting : std::string();
    bytes.resize(bytes.size() + rng.below(300));
    for (std::size_t j = i % 4 < 2 ? bytes.size() / 2 : 0; j < bytes.size(); ++j) {
      bytes[j] = static_cast<char>(rng.below(256));
    }
    send_raw(server_->endpoint(), bytes);
  }
  EXPECT_TRUE(client.ask(kPing));
  EXPECT_TRUE(TestClient(server_->endpoint()).ask(kPing));
}

TEST_F(ServerTest, FrameOverTheLimitClosesOnlyItsConnection) {
  start_insecure();
  TestClient client(server_->endpoint()), other(server_->endpoint());
  EXPECT_FALSE(client.ask({"e", "q", Terminate{std::string(kMaxFrameBytes, 'a')}}, kRefused));
  EXPECT_TRUE(other.ask(kPing));
  EXPECT_TRUE(client.ask(kPing)) << "ZeroMQ connects again by itself";
}

}  // namespace
}  // namespace hyperfd::wire
