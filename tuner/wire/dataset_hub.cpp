#include "tuner/wire/dataset_hub.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "tuner/base/log.h"

namespace hyperfd::wire {
namespace {

// An honest ∂loss/∂θ_G is at most some tens of times as long as the ∂loss/∂φ that it follows from.
constexpr double kLongestGradient = 1000;
constexpr double kRounding = 1.001;

double norm(const Floats& numbers) {
  double squares = 0;  // products of floats would overflow
  for (const double number : numbers) squares += number * number;
  return std::sqrt(squares);
}

// Throws DatasetUnreachable unless they are `count` finite numbers. Shortens them to `longest`.
void check(const char* what, Floats& numbers, std::size_t count, double longest) {
  if (numbers.size() != count) {
    throw DatasetUnreachable(std::string(what) + " of " + std::to_string(numbers.size()) + " numbers, expected " +
                             std::to_string(count));
  }
  if (!std::all_of(numbers.begin(), numbers.end(), [](float x) { return std::isfinite(x); })) {
    throw DatasetUnreachable(std::string(what) + " with a number that is not finite");
  }
  const double length = norm(numbers);
  if (length <= longest * kRounding) return;
  for (float& number : numbers) number = static_cast<float>(number * (longest / length));
}

}  // namespace

struct DatasetHub::Session {
  std::int64_t task = 0;
  std::string experiment, name;
  ExtractorInput input;
  Clock::time_point heard;
  bool updates = true;  // may be lent
  bool is_new = true;   // has not polled yet
  bool lent = false;
  bool over = false;          // is told to go
  bool refuses = false;       // has refused an order: gets no more
  std::string reason;         // why it is over
  std::int64_t orders = 0;    // given so far
  std::optional<Body> order;  // not carried out yet
  std::size_t weights = 0;    // of the latest ComputeFeature
  std::size_t units = 0;
  double longest = 0;                       // what the next answer may be as long as
  std::optional<std::int64_t> for_version;  // the order is a request_feature()
  std::optional<NextOrder> answer;          // waits for the learner
};

class DatasetHub::Loan : public DatasetClient {
 public:
  Loan(DatasetHub& hub, SessionPointer session) : hub_(hub), session_(std::move(session)) {}
  ~Loan() override { hub_.give_back(session_); }

  MetaFeaturePair forward(const std::vector<float>& weights, std::uint64_t seed) override {
    NextOrder answer = hub_.exchange(session_, ComputeFeature{0, weights, static_cast<std::int64_t>(seed)});
    return {std::move(answer.feature->feature), std::move(answer.feature->twin)};
  }
  std::vector<float> backward(const MetaFeaturePair& gradient) override {
    return std::move(*hub_.exchange(session_, ComputeGradient{0, gradient.feature, gradient.twin}).gradient);
  }

 private:
  DatasetHub& hub_;
  SessionPointer session_;
};

DatasetHub::DatasetHub(std::function<void()> on_order, DatasetTimes times)
    : on_order_(std::move(on_order)), times_(times) {}

DatasetHub::~DatasetHub() = default;

void DatasetHub::open(std::int64_t task, const std::string& experiment, const std::string& name,
                      const ExtractorInput& input, bool updates) {
  const std::lock_guard<std::mutex> lock(mutex_);
  // Sessions of clients that went away without a word.
  for (auto entry = by_name_.begin(); entry != by_name_.end();) {
    const bool is_stale = !is_alive(*entry->second) && Clock::now() - entry->second->heard > 10 * times_.silence;
    entry = is_stale ? by_name_.erase(entry) : std::next(entry);
  }
  if (const auto earlier = by_task_.find(task); earlier != by_task_.end()) {
    end(*earlier->second, earlier->second->name == name ? "its client has opened the data set anew"
                                                        : "another client serves this experiment's data set now");
  }
  const auto session = std::make_shared<Session>();
  session->task = task;
  session->experiment = experiment;
  session->name = name;
  session->input = input;
  session->updates = updates;
  session->heard = Clock::now();
  by_task_[task] = session;
  by_name_[name] = session;
}

std::optional<Body> DatasetHub::poll(const std::string& experiment, const NextOrder& poll) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto found = by_name_.find(poll.session);
  if (found == by_name_.end() || found->second->experiment != experiment) {
    throw UnknownSession("session: \"" + poll.session.substr(0, kMaxIdBytes) + "\" is not known; send DO first");
  }
  Session& session = *found->second;
  // Meanwhile it may have been forgotten by those who have questions.
  if (!session.over && Clock::now() - session.heard >= times_.silence) {
    end(session, "its client was silent for too long");
    by_name_.erase(found);
    throw UnknownSession("session: \"" + poll.session + "\" was silent for too long; send DO again");
  }
  session.heard = Clock::now();
  const bool brings_answer = session.order && poll.order == session.orders;
  if (brings_answer) take_answer(session, poll);
  std::optional<Body> order = order_of(session);
  // The client's user waits for this: there is nothing more to be done before suggestions begin.
  const bool is_first = std::exchange(session.is_new, false);
  if (!order && !session.lent && (is_first || brings_answer)) return NoOrder{};
  return order;
}

std::optional<Body> DatasetHub::next_order(const std::string& name) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto found = by_name_.find(name);
  if (found == by_name_.end()) return Dismissed{"the session is over"};
  return order_of(*found->second);
}

std::vector<FeatureAnswer> DatasetHub::take_features() {
  const std::lock_guard<std::mutex> lock(mutex_);
  return std::exchange(features_, {});
}

void DatasetHub::shut_down() {
  const std::lock_guard<std::mutex> lock(mutex_);
  shut_down_ = true;
  answered_.notify_all();
}

bool DatasetHub::serves(std::int64_t task) {
  const std::lock_guard<std::mutex> lock(mutex_);
  return find(task) != nullptr;
}

std::shared_ptr<DatasetClient> DatasetHub::lend(std::int64_t task) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const SessionPointer session = find(task);
  if (!session || !session->updates || session->lent || session->refuses) return nullptr;
  session->lent = true;
  return std::make_shared<Loan>(*this, session);
}

void DatasetHub::request_feature(std::int64_t task, std::int64_t version, const std::vector<float>& weights,
                                 std::uint64_t seed) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const SessionPointer session = find(task);
  if (!session || session->lent || session->refuses || session->order) return;
  session->for_version = version;
  give_order(*session, ComputeFeature{0, weights, static_cast<std::int64_t>(seed)});
}

void DatasetHub::dismiss(std::int64_t task, const std::string& reason) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto found = by_task_.find(task);
  if (found != by_task_.end()) end(*found->second, reason);
}

DatasetHub::SessionPointer DatasetHub::find(std::int64_t task) {
  const auto found = by_task_.find(task);
  return found != by_task_.end() && is_alive(*found->second) ? found->second : nullptr;
}

bool DatasetHub::is_alive(const Session& session) const {
  return !shut_down_ && !session.over && Clock::now() - session.heard < times_.silence;
}

std::optional<Body> DatasetHub::order_of(const Session& session) const {
  if (session.over) return Dismissed{session.reason};
  return session.order;
}

void DatasetHub::give_order(Session& session, Body order) {
  ++session.orders;
  if (auto* forward = std::get_if<ComputeFeature>(&order)) {
    forward->order = session.orders;
    session.weights = forward->weights.size();
    session.units = extractor_units(session.input.image_features + session.input.statistics, session.weights);
    session.longest = longest_feature(forward->weights, session.units);
  } else if (auto* backward = std::get_if<ComputeGradient>(&order)) {
    backward->order = session.orders;
    session.longest = kLongestGradient * std::hypot(norm(backward->feature), norm(backward->twin));
  }
  session.order = std::move(order);
  on_order_();
}

void DatasetHub::take_answer(Session& session, const NextOrder& poll) {
  const bool is_forward = std::holds_alternative<ComputeFeature>(*session.order);
  session.order.reset();
  const std::optional<std::int64_t> version = std::exchange(session.for_version, std::nullopt);
  NextOrder answer = poll;
  try {
    if (answer.refusal) {
      session.refuses = true;
      throw DatasetUnreachable("it refuses: " + answer.refusal->substr(0, 200));
    }
    if (is_forward) {
      if (!answer.feature) throw DatasetUnreachable("no meta-feature in its answer");
      if (answer.feature->extractor != session.input.frozen) {
        throw DatasetUnreachable("a meta-feature by another extractor than its data set was opened with");
      }
      check("a meta-feature", answer.feature->feature, session.units, session.longest);
      check("a meta-feature", answer.feature->twin, session.units, session.longest);
    } else {
      if (!answer.gradient) throw DatasetUnreachable("no gradient in its answer");
      check("a gradient", *answer.gradient, session.weights, session.longest);
    }
  } catch (const DatasetUnreachable& error) {
    spdlog::warn("task {}: data set: {}", session.task, error.what());
    if (!session.refuses) end(session, error.what());
    answered_.notify_all();
    return;
  }
  if (version) {
    features_.push_back({session.task, *version, std::move(answer.feature->feature)});
  } else {
    session.answer = std::move(answer);
  }
  answered_.notify_all();
}

void DatasetHub::end(Session& session, const std::string& reason) {
  session.over = true;
  session.reason = reason;
  session.order.reset();
  answered_.notify_all();
  on_order_();
}

NextOrder DatasetHub::exchange(const SessionPointer& session, Body order) {
  std::unique_lock<std::mutex> lock(mutex_);
  const auto deadline = Clock::now() + times_.answer;
  const auto is_gone = [&] { return shut_down_ || session->over || session->refuses; };
  // A request_feature() may be under way.
  const bool is_free = answered_.wait_until(lock, deadline, [&] { return is_gone() || !session->order; });
  if (is_free && !is_gone()) {
    give_order(*session, std::move(order));
    answered_.wait_until(lock, deadline, [&] { return is_gone() || session->answer; });
  }
  if (!session->answer) {
    if (!is_gone()) end(*session, "no answer in time");
    spdlog::warn("task {}: the data set is not reachable ({}); the update goes on without it", session->task,
                 session->reason);
    throw DatasetUnreachable(session->reason);
  }
  NextOrder answer = std::move(*session->answer);
  session->answer.reset();
  return answer;
}

void DatasetHub::give_back(const SessionPointer& session) {
  const std::lock_guard<std::mutex> lock(mutex_);
  session->lent = false;
  session->answer.reset();
  session->order.reset();
}

}  // namespace hyperfd::wire
