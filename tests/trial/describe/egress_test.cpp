// Everything that goes over the wire while a data set is served, seen by a relay between client and platform.
#include <atomic>
#include <cstring>
#include <fstream>
#include <mutex>
#include <thread>

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <torch/torch.h>
#include <unistd.h>

#include "tests/tuner/temporary_folder.h"
#include "tests/tuner/wire/test_client.h"
#include "trial/describe/egress_log.h"
#include "tuner/base/json.h"
#include "tuner/platform/sqlite_store.h"
#include "tuner/ranker/local_dataset_client.h"
#include "tuner/ranker/tensors.h"
#include "tuner/wire/dataset_server.h"
#include "tuner/wire/server.h"

namespace hyperfd {
namespace {

using namespace std::chrono_literals;

constexpr char kSpace[] = R"({"x":{"_type":"uniform","_value":[0,1]}})";
constexpr std::int64_t kFeatures = 6;

// One TCP connection passed on to a port of this machine, and what went to it.
class Relay {
 public:
  explicit Relay(int target) : target_(target) {
    listener_ = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    ::bind(listener_, reinterpret_cast<sockaddr*>(&address), size);
    ::listen(listener_, 1);
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port = ntohs(address.sin_port);
    thread_ = std::thread([this] { work(); });
  }
  ~Relay() {
    stop_ = true;
    thread_.join();
    ::close(listener_);
  }

  std::string sent() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return sent_;
  }

  int port = 0;

 private:
  void work() {
    pollfd waiting{listener_, POLLIN, 0};
    while (!stop_ && ::poll(&waiting, 1, 50) == 0) {
    }
    if (stop_) return;
    const int client = ::accept(listener_, nullptr, nullptr), server = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(static_cast<std::uint16_t>(target_));
    ::connect(server, reinterpret_cast<sockaddr*>(&address), sizeof(address));
    while (!stop_) {
      pollfd ends[] = {{client, POLLIN, 0}, {server, POLLIN, 0}};
      if (::poll(ends, 2, 50) <= 0) continue;
      if ((ends[0].revents && !pass(client, server, true)) || (ends[1].revents && !pass(server, client, false))) break;
    }
    ::close(client);
    ::close(server);
  }
  bool pass(int from, int to, bool keep) {
    char bytes[65536];
    const ssize_t count = ::read(from, bytes, sizeof(bytes));
    if (count <= 0) return false;
    if (keep) {
      const std::lock_guard<std::mutex> lock(mutex_);
      sent_.append(bytes, static_cast<std::size_t>(count));
    }
    for (ssize_t done = 0; done < count;) {
      const ssize_t written = ::write(to, bytes + done, static_cast<std::size_t>(count - done));
      if (written <= 0) return false;
      done += written;
    }
    return true;
  }

  int target_, listener_ = -1;
  std::atomic<bool> stop_{false};
  std::mutex mutex_;
  std::string sent_;
  std::thread thread_;
};

// Bytes of messages in a ZMTP 3 stream: after the greeting of 64 bytes, frames of flags, size and body.
std::size_t message_bytes(const std::string& stream) {
  std::size_t total = 0;
  for (std::size_t at = 64; at + 2 <= stream.size();) {
    const auto flags = static_cast<unsigned char>(stream[at]);
    std::size_t size = static_cast<unsigned char>(stream[at + 1]), header = 2;
    if (flags & 2) {
      size = 0;
      for (std::size_t i = 1; i <= 8; ++i) size = size << 8 | static_cast<unsigned char>(stream[at + i]);
      header = 9;
    }
    if (!(flags & 4)) total += size;  // no command
    at += header + size;
  }
  return total;
}

TEST(Egress, TheLogHoldsAllThatLeavesAndNoImageFeatureDoes) {
  const TemporaryFolder folder;
  const auto store = open_store(folder.file("store.sqlite"));
  wire::ServerOptions options;
  options.endpoint = "tcp://127.0.0.1:*";
  options.insecure = true;
  options.poll_patience = 100ms;
  wire::Server server(*store, options);
  std::thread serving([&] { server.run(); });
  wire::TestClient nni(server.endpoint());
  int request = 0;
  const auto ask = [&](wire::Body body) { nni.ask({"e", "q" + std::to_string(request++), std::move(body)}); };
  ask(wire::Initialize{"r", kSpace, OptimizeMode::kMaximize, 4, "hyperfd:hidden=8:iterations=10:warm_up=0", 1});

  Rng rng(3);
  const torch::Tensor images = uniform_tensor({20, kFeatures}, 1, rng);
  LocalDatasetClient dataset(images, torch::tensor({3.5f}), 8);
  Relay relay(std::stoi(server.endpoint().substr(server.endpoint().rfind(':') + 1)));
  EgressLog log(folder.file("egress.jsonl"));
  wire::ServingOptions client;
  client.connection.endpoint = "tcp://127.0.0.1:" + std::to_string(relay.port);
  client.experiment = "e";
  wire::ServingEvents events;
  std::atomic<bool> settled{false};
  events.on_settled = [&] { settled = true; };
  events.on_sent = [&](const std::string& frame) { log.add(frame); };
  wire::ServingResult result;
  std::thread describing([&] {
    result = wire::serve_dataset(dataset, {"", std::string(64, 'a'), kFeatures, 20, {{"images", 3.5}}}, client, events,
                                 [] { return false; });
  });
  while (!settled) std::this_thread::sleep_for(2ms);
  for (int i = 0; i < 4; ++i) {
    ask(wire::ReportMetric{"r", std::nullopt, "j" + std::to_string(i), MetricKind::kFinal, 0, std::to_string(0.1 * i),
                           "{\"x\":" + std::to_string(0.2 * i) + "}"});
  }
  ask(wire::Terminate{"r"});
  describing.join();
  server.stop();
  serving.join();
  ASSERT_EQ(result.end, wire::ServingEnd::kDismissed);
  ASSERT_GT(result.orders, 5) << "φ and gradients went";

  const std::string sent = relay.sent();
  std::int64_t logged = 0;
  std::ifstream lines(folder.file("egress.jsonl"));
  for (std::string line; std::getline(lines, line);) logged += parse_json(line, "line")["bytes"].get<std::int64_t>();
  EXPECT_EQ(static_cast<std::int64_t>(message_bytes(sent)), logged);
  EXPECT_EQ(log.bytes(), logged);
  EXPECT_EQ(result.sent, logged);

  // No two numbers of any image that follow each other.
  const std::vector<float> numbers = flatten({images});
  for (std::size_t i = 0; i + 1 < numbers.size(); ++i) {
    char bytes[8];
    std::memcpy(bytes, &numbers[i], 8);
    ASSERT_EQ(sent.find(std::string(bytes, 8)), std::string::npos) << "image feature " << i;
  }
}

}  // namespace
}  // namespace hyperfd
