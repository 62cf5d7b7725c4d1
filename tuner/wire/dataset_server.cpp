#include "tuner/wire/dataset_server.h"

#include <algorithm>
#include <optional>
#include <random>
#include <thread>
#include <utility>

#include "tuner/base/log.h"

namespace hyperfd::wire {
namespace {

using Clock = std::chrono::steady_clock;

std::string random_name() {
  constexpr char kDigits[] = "0123456789abcdef";
  std::random_device device;
  std::string name;
  for (int i = 0; i < 32; ++i) name += kDigits[device() % 16];
  return name;
}

class Serving {
 public:
  Serving(DatasetClient& dataset, OpenDataset about, const ServingOptions& options, const ServingEvents& events,
          const std::function<bool()>& is_stopped)
      : dataset_(dataset),
        about_(std::move(about)),
        options_(options),
        events_(events),
        is_stopped_(is_stopped),
        connection_(options.connection, events.on_sent) {}

  ServingResult run() {
    while (true) {
      if (!is_open_ && !open()) return given_up();
      const std::optional<Body> reply = ask(poll_);
      if (!reply) return given_up();
      if (const auto* dismissed = std::get_if<Dismissed>(&*reply)) {
        return result(ServingEnd::kDismissed, dismissed->reason);
      }
      if (const auto* failure = std::get_if<Failure>(&*reply)) {
        is_open_ = failure->code != "unknown_session" && failure->code != "unknown_experiment";
        if (is_open_) spdlog::warn("{}: {}", options_.connection.endpoint, failure->message);
        rest();
      } else if (std::holds_alternative<NoOrder>(*reply)) {
        drop_answer();
        if (!std::exchange(is_settled_, true)) events_.on_settled();
      } else {
        carry_out(*reply);
      }
    }
  }

 private:
  // False: the platform is away, or stopped.
  bool open() {
    while (true) {
      about_.session = random_name();
      const std::optional<Body> reply = ask(about_);
      if (!reply) return false;
      const auto* failure = std::get_if<Failure>(&*reply);
      if (!failure) break;
      // The experiment may not have begun yet, the store may be busy.
      if (failure->code != "unknown_experiment" && failure->code != "store") throw InputError(failure->message);
      if (Clock::now() - welcome_ > options_.away) return false;
      rest();
      if (is_stopped_()) return false;
    }
    welcome_ = Clock::now();
    is_open_ = true;
    poll_ = {};
    poll_.session = about_.session;
    return true;
  }

  // The reply, after as many attempts as it takes; nullopt: the platform is away, or stopped.
  std::optional<Body> ask(Body body) {
    const Message request{options_.experiment, random_name(), std::move(body)};
    const auto deadline = Clock::now() + options_.away;
    while (!is_stopped_() && Clock::now() < deadline) {
      const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now());
      if (auto reply = connection_.ask(request, std::min(left, options_.answer), is_stopped_))
        return std::move(reply->body);
    }
    return std::nullopt;
  }

  void carry_out(const Body& order) {
    const auto* forward = std::get_if<ComputeFeature>(&order);
    const auto* backward = std::get_if<ComputeGradient>(&order);
    const std::int64_t number = forward ? forward->order : backward ? backward->order : poll_.order;
    if (number <= poll_.order) return;  // carried out; the answer is sent again
    drop_answer();
    poll_.order = number;
    ++orders_;
    try {
      if (forward) {
        MetaFeaturePair pair = dataset_.forward(forward->weights, static_cast<std::uint64_t>(forward->seed));
        poll_.feature = ComputedFeature{about_.extractor, std::move(pair.feature), std::move(pair.twin)};
      } else {
        poll_.gradient = dataset_.backward({backward->feature, backward->twin});
      }
    } catch (const std::exception& error) {
      spdlog::warn("order {} is refused: {}", number, error.what());
      poll_.refusal = clean_text(std::string(error.what()).substr(0, 200));
    }
  }

  void drop_answer() {
    poll_.feature.reset();
    poll_.gradient.reset();
    poll_.refusal.reset();
  }

  void rest() const { std::this_thread::sleep_for(options_.pause); }

  ServingResult given_up() const {
    if (is_stopped_()) return result(ServingEnd::kStopped, "stopped");
    return result(ServingEnd::kAway, "no answer from " + options_.connection.endpoint);
  }
  ServingResult result(ServingEnd end, const std::string& reason) const {
    return {end, reason, orders_, connection_.sent(), connection_.received()};
  }

  DatasetClient& dataset_;
  OpenDataset about_;
  const ServingOptions& options_;
  const ServingEvents& events_;
  const std::function<bool()>& is_stopped_;
  DatasetConnection connection_;
  NextOrder poll_;
  bool is_open_ = false, is_settled_ = false;
  std::int64_t orders_ = 0;
  Clock::time_point welcome_ = Clock::now();  // when the platform last took the data set
};

}  // namespace

ServingResult serve_dataset(DatasetClient& dataset, OpenDataset about, const ServingOptions& options,
                            const ServingEvents& events, const std::function<bool()>& is_stopped) {
  return Serving(dataset, std::move(about), options, events, is_stopped).run();
}

}  // namespace hyperfd::wire
