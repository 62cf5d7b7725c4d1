#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "tuner/platform/dataset_directory.h"
#include "tuner/ranker/extractor_input.h"
#include "tuner/wire/messages.h"

namespace hyperfd::wire {

struct DatasetTimes {
  std::chrono::milliseconds answer{20'000};   // an order that is not carried out in this time: the client is dropped
  std::chrono::milliseconds silence{30'000};  // no poll for so long: the client is gone
};

// φ that came for DatasetDirectory::request_feature().
struct FeatureAnswer {
  std::int64_t task = 0;
  std::int64_t version = 0;  // of the ranker
  Floats feature;
};

// The data sets that clients serve: here the orders of learners meet the polls of clients (docs/protocol.md, DO and
// DN). A client has one order at a time. What it answers is checked: another size or extractor, or a number that is not
// finite, and it is dropped; vectors longer than an honest answer can be are shortened. Thread-safe.
class DatasetHub : public DatasetDirectory {
 public:
  // `on_order` is called, on any thread, when a poll that waits may have something to get.
  explicit DatasetHub(std::function<void()> on_order, DatasetTimes times = {});
  // Everything that was lent must be gone.
  ~DatasetHub() override;

  // ---- For the server ----

  // A new session takes the place of an earlier one on the task.
  // With `updates` false it is not lent.
  void open(std::int64_t task, const std::string& experiment, const std::string& session, const ExtractorInput& input,
            bool updates = true);
  // Takes the answer that a poll carries, and returns what to reply; nullopt: nothing yet, ask next_order() again.
  // Throws UnknownSession.
  std::optional<Body> poll(const std::string& experiment, const NextOrder& poll);
  std::optional<Body> next_order(const std::string& session);
  std::vector<FeatureAnswer> take_features();
  // Ends all waiting; from now on no data set answers.
  void shut_down();

  // ---- DatasetDirectory ----

  bool serves(std::int64_t task) override;
  std::shared_ptr<DatasetClient> lend(std::int64_t task) override;
  void request_feature(std::int64_t task, std::int64_t version, const std::vector<float>& weights,
                       std::uint64_t seed) override;
  void dismiss(std::int64_t task, const std::string& reason) override;

 private:
  struct Session;
  class Loan;
  using SessionPointer = std::shared_ptr<Session>;
  using Clock = std::chrono::steady_clock;

  SessionPointer find(std::int64_t task);
  bool is_alive(const Session& session) const;
  std::optional<Body> order_of(const Session& session) const;
  void give_order(Session& session, Body order);
  void take_answer(Session& session, const NextOrder& answer);
  void end(Session& session, const std::string& reason);
  // Gives an order and waits for what is answered. Throws DatasetUnreachable.
  NextOrder exchange(const SessionPointer& session, Body order);
  void give_back(const SessionPointer& session);

  std::function<void()> on_order_;
  DatasetTimes times_;
  std::mutex mutex_;
  std::condition_variable answered_;
  bool shut_down_ = false;
  std::map<std::int64_t, SessionPointer> by_task_;
  std::map<std::string, SessionPointer> by_name_;
  std::vector<FeatureAnswer> features_;
};

// The session of a poll was never opened, or is over since long; the client opens another one.
class UnknownSession : public ProtocolError {
 public:
  using ProtocolError::ProtocolError;
};

}  // namespace hyperfd::wire
