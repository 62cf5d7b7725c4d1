#include "tuner/wire/server.h"

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdio>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include <zmq.hpp>
#include <zmq_addon.hpp>

#include "tuner/base/error.h"
#include "tuner/base/log.h"
#include "tuner/wire/codec.h"
#include "tuner/wire/curve_keys.h"
#include "tuner/wire/endpoint.h"
#include "tuner/wire/gatekeeper.h"
#include "tuner/wire/service.h"
#include "tuner/wire/wake_pipe.h"

namespace hyperfd::wire {
namespace {

using Clock = std::chrono::steady_clock;

// Where a signal handler finds the server to stop. One server at a time runs in a process.
std::atomic<Server*> running_server{nullptr};

void stop_running_server(int) {
  if (Server* server = running_server.load()) server->stop();
}

// SIGINT and SIGTERM end `server` while this object lives.
class SignalGuard {
 public:
  explicit SignalGuard(Server* server) {
    running_server = server;
    struct sigaction action {};
    action.sa_handler = stop_running_server;
    ::sigaction(SIGINT, &action, &old_interrupt_);
    ::sigaction(SIGTERM, &action, &old_terminate_);
  }
  ~SignalGuard() {
    ::sigaction(SIGINT, &old_interrupt_, nullptr);
    ::sigaction(SIGTERM, &old_terminate_, nullptr);
    running_server = nullptr;
  }

 private:
  struct sigaction old_interrupt_ {};
  struct sigaction old_terminate_ {};
};

struct DeferredAnswer {
  std::string client, key, request;
  Answer answer;
  Clock::time_point deadline;
};

struct PollAtServer {
  std::string client, key;
  WaitingPoll poll;
  Clock::time_point deadline;
};

}  // namespace

struct Server::Impl {
  Impl(ExperienceStore& store, const ServerOptions& given)
      : options(given),
        service(
            store, [this] { learned.wake(); }, options.learn, [this] { ordered.wake(); }, options.dataset_times,
            options.limits),
        socket(context, zmq::socket_type::router) {
    if (!options.offer_bundle.empty()) service.offer(BundleOffer(options.offer_bundle));
    const Endpoint where = parse_endpoint(options.endpoint);
    secure(where);
    socket.set(zmq::sockopt::linger, 1000);
    socket.set(zmq::sockopt::maxmsgsize, static_cast<std::int64_t>(kMaxFrameBytes));
    // Several clients may share a machine that sleeps or a network that drops silently.
    socket.set(zmq::sockopt::heartbeat_ivl, 30'000);
    socket.set(zmq::sockopt::handshake_ivl, 5'000);  // who does not shake hands is hung up on
    prepare_to_bind(where);
    try {
      socket.bind(where.text);
    } catch (const zmq::error_t& error) {
      throw ProtocolError("endpoint: " + where.text + ": cannot be bound: " + error.what());
    }
    endpoint = socket.get(zmq::sockopt::last_endpoint);
    socket_file = where.path;
  }

  ~Impl() {
    socket.close();
    // ZeroMQ leaves the file; nobody else listens there while this server has its store.
    if (!socket_file.empty()) std::remove(socket_file.c_str());
  }

  void secure(const Endpoint& where) {
    if (options.server_key.empty() != options.allow_file.empty()) {
      throw InputError("server-key and allow: the one is of no use without the other");
    }
    if (!options.server_key.empty()) {
      if (options.insecure) throw InputError("insecure: contradicts server-key");
      socket.set(zmq::sockopt::curve_server, true);
      socket.set(zmq::sockopt::curve_secretkey, read_key(options.server_key));
      socket.set(zmq::sockopt::zap_domain, "hyperfd");
      gatekeeper.emplace(context, options.allow_file);
    } else if (!where.is_ipc() && !options.insecure) {
      throw InputError("endpoint: " + where.text +
                       ": tcp needs server-key and allow (see hyperfd-tuner keygen), or insecure to go without");
    } else if (!where.is_ipc()) {
      spdlog::warn("insecure: anybody who reaches {} can read and write experience", where.text);
    }
  }

  void run() {
    Clock::time_point last_message = Clock::now();
    while (!stopping) {
      std::vector<zmq::pollitem_t> items = {{socket.handle(), 0, ZMQ_POLLIN, 0},
                                            {nullptr, learned.descriptor(), ZMQ_POLLIN, 0},
                                            {nullptr, ordered.descriptor(), ZMQ_POLLIN, 0},
                                            {nullptr, stopped.descriptor(), ZMQ_POLLIN, 0}};
      if (gatekeeper) items.push_back({gatekeeper->socket().handle(), 0, ZMQ_POLLIN, 0});
      try {
        zmq::poll(items, patience(last_message));
      } catch (const zmq::error_t& error) {
        if (error.num() != EINTR) throw;
        continue;
      }
      if (gatekeeper) gatekeeper->answer_requests();
      if (items[1].revents) {
        learned.drain();
        service.commit_learned();
      }
      if (items[2].revents) ordered.drain();
      if (items[0].revents && answer_requests()) last_message = Clock::now();
      send_deferred();
      send_orders();
      if (idle_time_is_over(last_message)) {
        spdlog::info("no message for {} s, ending", options.idle_exit.count());
        return;
      }
    }
    spdlog::info("asked to end, ending");
  }

  // How long the loop may sleep.
  std::chrono::milliseconds patience(Clock::time_point last_message) const {
    Clock::time_point wake = Clock::now() + std::chrono::hours(1);
    for (const DeferredAnswer& waiting : deferred) wake = std::min(wake, waiting.deadline);
    for (const auto& entry : polls) wake = std::min(wake, entry.second.deadline);
    if (options.idle_exit.count() > 0) wake = std::min(wake, last_message + options.idle_exit);
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(wake - Clock::now());
    return std::max(left + std::chrono::milliseconds(1), std::chrono::milliseconds(0));
  }

  bool idle_time_is_over(Clock::time_point last_message) const {
    return options.idle_exit.count() > 0 && deferred.empty() && !service.is_learning() &&
           Clock::now() - last_message >= options.idle_exit;
  }

  // Answers what waits at the socket, a bounded number so that the rest of the loop gets its turn. False if nothing was
  // there.
  bool answer_requests() {
    constexpr int kAtOnce = 100;
    int received = 0;
    for (; received < kAtOnce && !stopping; ++received) {
      std::vector<zmq::message_t> parts;
      if (!zmq::recv_multipart(socket, std::back_inserter(parts), zmq::recv_flags::dontwait)) break;
      const std::string client = parts.front().to_string();
      // An empty frame is no message of the protocol and gets the answer for it, like any other number of frames than
      // one.
      const char* const user = zmq_msg_gets(parts.back().handle(), "User-Id");  // by the gatekeeper
      const std::string key = user ? user : "";
      if (!may_talk(key)) continue;
      const std::string_view request = parts.size() == 2 ? parts[1].to_string_view() : std::string_view();
      if (is_repetition(client, key, request)) continue;
      Answer answer = service.answer(request, key);
      if (answer.poll) {
        const std::string session = answer.poll->session;  // a client repeats its poll: the latest counts
        polls[session] = {client, key, std::move(*answer.poll), Clock::now() + options.poll_patience};
      } else if (answer.wait_for.empty()) {
        send(client, answer.frame);
      } else {
        deferred.push_back(
            {client, key, std::string(request), std::move(answer), Clock::now() + options.learning_patience});
      }
    }
    return received > 0;
  }

  // A key that was taken off the list is cut off, also where its connection still stands.
  bool may_talk(const std::string& key) { return !gatekeeper || gatekeeper->allows(key); }

  // Of a request whose answer is held back: it goes to where the client is now.
  bool is_repetition(const std::string& client, const std::string& key, std::string_view request) {
    const auto waiting = std::find_if(deferred.begin(), deferred.end(), [&](const DeferredAnswer& other) {
      return other.key == key && other.request == request;
    });
    if (waiting == deferred.end()) return false;
    waiting->client = client;
    return true;
  }

  void send_deferred() {
    const auto now = Clock::now();
    const auto due = std::stable_partition(deferred.begin(), deferred.end(), [&](const DeferredAnswer& waiting) {
      return service.is_learning(waiting.answer.wait_for) && now < waiting.deadline;
    });
    for (auto waiting = due; waiting != deferred.end(); ++waiting) {
      if (may_talk(waiting->key)) send(waiting->client, waiting->answer.frame);
    }
    deferred.erase(due, deferred.end());
  }

  void send_orders() {
    const auto now = Clock::now();
    for (auto entry = polls.begin(); entry != polls.end();) {
      const PollAtServer& waiting = entry->second;
      if (!may_talk(waiting.key)) {
        entry = polls.erase(entry);
        continue;
      }
      std::optional<std::string> frame = service.next_order(waiting.poll);
      if (!frame && now >= waiting.deadline) frame = Service::no_order(waiting.poll);
      if (frame) send(waiting.client, *frame);
      entry = frame ? polls.erase(entry) : std::next(entry);
    }
  }

  // A client that has gone away gets nothing; it asks again when it is back.
  void send(const std::string& client, const std::string& frame) {
    try {
      socket.send(zmq::buffer(client), zmq::send_flags::sndmore | zmq::send_flags::dontwait);
      socket.send(zmq::buffer(frame), zmq::send_flags::dontwait);
    } catch (const zmq::error_t& error) {
      spdlog::warn("an answer could not be sent: {}", error.what());
    }
  }

  ServerOptions options;
  WakePipe learned, ordered, stopped;
  std::atomic<bool> stopping{false};
  Service service;
  zmq::context_t context;
  zmq::socket_t socket;
  std::optional<Gatekeeper> gatekeeper;
  std::vector<DeferredAnswer> deferred;
  std::map<std::string, PollAtServer> polls;  // by session
  std::string endpoint;
  std::string socket_file;  // "" for tcp
};

Server::Server(ExperienceStore& store, const ServerOptions& options) : impl_(std::make_unique<Impl>(store, options)) {}

Server::~Server() = default;

const std::string& Server::endpoint() const {
  return impl_->endpoint;
}

void Server::run() {
  const SignalGuard signals(this);
  impl_->run();
}

void Server::stop() {
  impl_->stopping = true;
  impl_->stopped.wake();
}

}  // namespace hyperfd::wire
