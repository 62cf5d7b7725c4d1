#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "tuner/platform/platform.h"
#include "tuner/wire/bundle_offer.h"
#include "tuner/wire/dataset_hub.h"
#include "tuner/wire/messages.h"
#include "tuner/wire/tenants.h"

namespace hyperfd::wire {

// A poll of a client that serves a data set (DN), for which there is no order yet.
struct WaitingPoll {
  std::string experiment, request, session;
};

struct Answer {
  std::string frame;  // "" while `poll` waits
  // The answer is committed, but its client profits from waiting a little until the ranker of this signature has
  // learned from everything there is. "": send at once.
  std::string wait_for;
  std::optional<WaitingPoll> poll = std::nullopt;
};

// Frames in, frames out: one request is one transaction that holds its effect and its reply. Knows nothing of sockets.
class Service {
 public:
  // `on_learned` and `on_order` are called on other threads, when commit_learned() and next_order() have something to
  // do.
  Service(
      ExperienceStore& store, std::function<void()> on_learned, BackgroundLearner::Learn learn = learn_ranker,
      std::function<void()> on_order = [] {}, DatasetTimes times = {}, TenantLimits limits = {})
      : store_(store),
        limits_(limits),
        rates_(limits.requests),
        datasets_(std::move(on_order), times),
        platform_(store, std::move(on_learned), std::move(learn), datasets_) {}
  ~Service() { datasets_.shut_down(); }

  // To clients that ask for it; without one they are told so.
  void offer(BundleOffer bundle) { bundle_ = std::move(bundle); }

  // Whatever the frame is and whatever goes wrong, there is an answer: every error is a typed reply.
  // `tenant`: the public key of the client that sent it, "" without keys.
  Answer answer(std::string_view frame, const std::string& tenant = "");

  bool is_learning() const { return platform_.is_learning(); }
  bool is_learning(const std::string& signature) const { return platform_.is_learning(signature); }
  // To be called after `on_learned` was. Never throws: what fails is logged, the last ranker version stays.
  void commit_learned();

  // The frame for a poll that waits; nullopt: still nothing.
  std::optional<std::string> next_order(const WaitingPoll& poll);
  // For one that has waited long enough: the client asks again.
  static std::string no_order(const WaitingPoll& poll);

 private:
  // `experiment`: the request's, as it is called in the store.
  Answer apply(const Message& request, const std::string& experiment, std::string_view frame);
  Answer answer_poll(const Message& request, const std::string& experiment);
  BundlePart bundle_part(const RequestBundle& request) const;
  void check_experiments(const std::string& tenant, const std::string& experiment);
  void check_policy(const std::string& tenant, const std::string& policy) const;

  ExperienceStore& store_;
  TenantLimits limits_;
  RequestRates rates_;
  std::optional<BundleOffer> bundle_;
  DatasetHub datasets_;
  Platform platform_;
};

}  // namespace hyperfd::wire
