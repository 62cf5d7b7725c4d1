#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "tuner/platform/platform.h"
#include "tuner/wire/messages.h"

namespace hyperfd::wire {

struct Answer {
  std::string frame;
  // The answer is committed, but its client profits from waiting a little until the ranker of this signature has
  // learned from everything there is. "": send at once.
  std::string wait_for;
};

// Frames in, frames out: one request is one transaction that holds its effect and its reply. Knows nothing of sockets.
class Service {
 public:
  Service(ExperienceStore& store, std::function<void()> on_learned, BackgroundLearner::Learn learn = learn_ranker)
      : store_(store), platform_(store, std::move(on_learned), std::move(learn)) {}

  // Whatever the frame is and whatever goes wrong, there is an answer: every error is a typed reply.
  Answer answer(std::string_view frame);

  bool is_learning() const { return platform_.is_learning(); }
  bool is_learning(const std::string& signature) const { return platform_.is_learning(signature); }
  // To be called after `on_learned` was. Never throws: what fails is logged, the last ranker version stays.
  void commit_learned();

 private:
  Answer apply(const Message& request, std::string_view frame);

  ExperienceStore& store_;
  Platform platform_;
};

}  // namespace hyperfd::wire
