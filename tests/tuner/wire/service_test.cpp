#include "tuner/wire/service.h"

#include <condition_variable>
#include <mutex>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/message_of.h"
#include "tests/tuner/platform/faulty_store.h"
#include "tests/tuner/temporary_folder.h"
#include "tuner/base/digest.h"
#include "tuner/base/files.h"
#include "tuner/base/rng.h"
#include "tuner/platform/sqlite_store.h"
#include "tuner/wire/codec.h"

namespace hyperfd::wire {
namespace {

using ::testing::HasSubstr;

constexpr char kSpace[] =
    R"({"x":{"_type":"choice","_value":[1,2,3,4,5,6,7,8]},"y":{"_type":"uniform","_value":[0,1]}})";

Initialize begin(const std::string& run = "r") {
  return {run, kSpace, OptimizeMode::kMaximize, 4, "random", 1};
}
ReportMetric final_result(std::int64_t id, const std::string& value) {
  return {"r", id, "", MetricKind::kFinal, 0, value, ""};
}

class ServiceTest : public ::testing::Test {
 protected:
  Message ask(Body body, const std::string& request = "", const std::string& experiment = "e") {
    const std::string id = request.empty() ? "q" + std::to_string(next_++) : request;
    return decode(service_.answer(encode({experiment, id, std::move(body)})).frame);
  }
  template <typename Reply>
  Reply expect(const Message& message) {
    if (const auto* failure = std::get_if<Failure>(&message.body)) {
      if (!std::is_same_v<Reply, Failure>) ADD_FAILURE() << failure->code << ": " << failure->message;
    }
    EXPECT_TRUE(std::holds_alternative<Reply>(message.body));
    return std::holds_alternative<Reply>(message.body) ? std::get<Reply>(message.body) : Reply{};
  }

  std::unique_ptr<ExperienceStore> sqlite_ = open_store(":memory:");
  FaultyStore store_{*sqlite_};
  Service service_{store_, [] {}};
  int next_ = 0;
};

TEST_F(ServiceTest, RepliesCarryTheEnvelopeOfTheirRequest) {
  const Message reply = ask(begin(), "my request", "my experiment");
  EXPECT_EQ(reply.request, "my request");
  EXPECT_EQ(reply.experiment, "my experiment");
  EXPECT_THAT(expect<Initialized>(reply).server, HasSubstr("hyperfd-tuner "));
}

TEST_F(ServiceTest, RepeatedRequestGetsTheSameAnswerAndNoSecondEffect) {
  ask(begin());
  const std::string frame = encode({"e", "again", RequestTrialJobs{"r", {0, 1}}});
  const std::string first = service_.answer(frame).frame;
  EXPECT_EQ(service_.answer(frame).frame, first);
  const std::string result = encode({"e", "result", final_result(0, "0.5")});
  EXPECT_EQ(service_.answer(result).frame, service_.answer(result).frame);
  EXPECT_EQ(sqlite_->experiments()[0].results, 1);
  EXPECT_EQ(sqlite_->experiments()[0].configurations, 2);
}

TEST_F(ServiceTest, RequestIdOfAnotherMessageIsRefused) {
  ask(begin(), "one");
  EXPECT_EQ(expect<Failure>(ask(RequestTrialJobs{"r", {0}}, "one")).code, "input");
  EXPECT_EQ(sqlite_->experiments()[0].configurations, 0);
}

TEST_F(ServiceTest, ErrorsAreTyped) {
  EXPECT_EQ(expect<Failure>(ask(RequestTrialJobs{"r", {0}})).code, "unknown_experiment");
  ask(begin());
  EXPECT_EQ(expect<Failure>(ask(RequestTrialJobs{"another run", {0}})).code, "unknown_experiment");
  EXPECT_EQ(expect<Failure>(ask(RequestTrialJobs{"r", {}})).code, "input");
  EXPECT_EQ(expect<Failure>(ask(Acknowledged{})).code, "unknown_type");
  Initialize bad = begin();
  bad.policy = "hyperdf";
  EXPECT_THAT(expect<Failure>(ask(bad)).message, HasSubstr("did you mean \"hyperfd\"?"));
  bad = begin();
  bad.space = R"({"lr":{"_type":"uniform","_value":["abc",1]}})";
  EXPECT_THAT(expect<Failure>(ask(bad)).message, HasSubstr("lr._value[0]: expected a number, got \"abc\""));
  bad.space = "{\"x\":{\"_type\":\"choice\",\"_value\":\"" + std::string(56, ' ') + "\u00fc\u00fc\u00fc\"}}";
  EXPECT_EQ(expect<Failure>(ask(bad)).code, "input") << "a quotation may be cut in the middle of a character";
  store_.fail_at(0);
  EXPECT_EQ(expect<Failure>(ask(Terminate{"r"})).code, "store");
  EXPECT_EQ(expect<Failure>(decode(service_.answer("garbage").frame)).code, "malformed");
}

TEST_F(ServiceTest, ConstraintsOfAnAnnotationHold) {
  Initialize start = begin();
  start.annotation = R"({"constraints":{"linear":[{"sum":{"x":1},"max":1}]}})";
  ask(start);
  for (const Trial& trial : expect<NewTrialJobs>(ask(RequestTrialJobs{"r", {0, 1, 2, 3, 4, 5}})).trials) {
    EXPECT_THAT(trial.parameters, HasSubstr("\"x\":1,"));
  }
  start.run = "r2";
  start.annotation = R"({"constraints":{"lineal":[]}})";
  EXPECT_THAT(expect<Failure>(ask(start)).message, HasSubstr("did you mean \"linear\"?"));
}

TEST_F(ServiceTest, AnErrorCanBeRepeatedUntilItSucceeds) {
  ask(begin());
  const RequestTrialJobs wanted{"r", {0}};
  store_.fail_at(3);
  EXPECT_EQ(expect<Failure>(ask(wanted, "stubborn")).code, "store");
  EXPECT_EQ(expect<NewTrialJobs>(ask(wanted, "stubborn")).trials.size(), 1u);
}

TEST_F(ServiceTest, PingNeedsNoExperiment) {
  EXPECT_EQ(expect<Acknowledged>(ask(Ping{}, "q", "-")).counted, 0);
}

TEST_F(ServiceTest, ParametersCanBeRequestedForOneTrial) {
  ask(begin());
  ReportMetric wanted{"r", 3, "job", MetricKind::kRequestParameter, 0, "", ""};
  const auto first = expect<SendTrialJobParameter>(ask(wanted));
  EXPECT_EQ(first.parameter_id, 3);
  EXPECT_EQ(first.trial_job_id, "job");
  EXPECT_EQ(expect<SendTrialJobParameter>(ask(wanted)).parameters, first.parameters);
  EXPECT_EQ(expect<NewTrialJobs>(ask(RequestTrialJobs{"r", {3}})).trials[0].parameters, first.parameters);
}

// What a store holds, in words that two stores can be compared by.
std::string contents(ExperienceStore& store) {
  std::string text;
  for (const ExperimentSummary& experiment : store.experiments()) {
    text += experiment.name + " runs " + std::to_string(experiment.runs) + " results " +
            std::to_string(experiment.results) + " failed " + std::to_string(experiment.failed) + " best " +
            experiment.best_parameters + "\n";
    for (const ConfigurationRecord& row : store.configurations(experiment.id)) {
      text += "  " + std::to_string(row.parameter_id.value_or(-1)) + " " + row.parameters + " " + to_word(row.source) +
              " " + (row.has_result ? std::to_string(row.metric.value_or(-1)) : "pending") + "\n";
    }
  }
  return text;
}

std::vector<Message> script() {
  std::vector<Body> bodies = {
      begin(),
      RequestTrialJobs{"r", {0, 1, 2}},
      final_result(0, "0.5"),
      ReportMetric{"r", 1, "", MetricKind::kPeriodical, 0, "0.1", ""},
      TrialEnd{"r", 1, "", TrialOutcome::kFailed},
      ImportData{"r", {{R"({"x":1,"y":0.5})", "0.7"}, {R"({"x":2,"y":0.5})", "0.2"}}},
      AddCustomizedTrials{"r", {{8, R"({"x":3,"y":0.25})"}}},
      ReportMetric{"r", std::nullopt, "job", MetricKind::kFinal, 0, "0.9", R"({"x":4,"y":0.75})"},
      UpdateSearchSpace{"r", R"({"x":{"_type":"choice","_value":[1,2,3,4]},"y":{"_type":"uniform","_value":[0,1]}})"},
      RequestTrialJobs{"r", {3}},
      Terminate{"r"},
      begin("r2"),
      RequestTrialJobs{"r2", {0}},
  };
  std::vector<Message> messages;
  for (std::size_t i = 0; i < bodies.size(); ++i) messages.push_back({"e", "q" + std::to_string(i), bodies[i]});
  return messages;
}

TEST(ServiceFaults, AFailureAtAnyCallIsAllOrNothing) {
  // What is learned is not part of it, since its moment is not fixed.
  const auto learn_nothing = [](const LearningJob& job) { return job.previous; };
  const auto run = [&](int failing_call, int* calls) {
    const auto sqlite = open_store(":memory:");
    FaultyStore store(*sqlite);
    Service service(
        store, [] {}, learn_nothing);
    store.fail_at(failing_call);
    for (const Message& message : script()) {
      const std::string frame = encode(message);
      const std::string before = contents(*sqlite);
      Message reply = decode(service.answer(frame).frame);
      if (std::holds_alternative<Failure>(reply.body)) {
        EXPECT_EQ(std::get<Failure>(reply.body).code, "store") << std::get<Failure>(reply.body).message;
        EXPECT_EQ(contents(*sqlite), before) << "a refused request left something behind";
        reply = decode(service.answer(frame).frame);
        EXPECT_FALSE(std::holds_alternative<Failure>(reply.body)) << std::get<Failure>(reply.body).message;
      }
    }
    *calls = store.calls();
    return contents(*sqlite);
  };
  int calls = 0;
  const std::string expected = run(-1, &calls);
  ASSERT_GT(calls, 50);
  for (int failing_call = 0, ignored = 0; failing_call < calls; ++failing_call) {
    ASSERT_EQ(run(failing_call, &ignored), expected) << "after a failure of call " << failing_call;
  }
}

TEST_F(ServiceTest, MutatedRequestsAlwaysGetAnAnswer) {
  Rng rng(3);
  const std::vector<Message> messages = script();
  for (const Message& message : messages) service_.answer(encode(message));
  for (int i = 0; i < 3000; ++i) {
    Message message = messages[rng.below(messages.size())];
    message.request = "m" + std::to_string(i);
    std::string frame = encode(message);
    for (std::uint64_t changes = 1 + rng.below(3); changes > 0; --changes) {
      frame[rng.below(frame.size())] = static_cast<char>(rng.below(256));
    }
    const Message reply = decode(service_.answer(frame).frame);
    if (const auto* failure = std::get_if<Failure>(&reply.body)) {
      EXPECT_NE(failure->code, "internal") << failure->message;
      EXPECT_NE(failure->code, "store") << failure->message;
    }
  }
}

TEST(ServiceLearning, ANewExperimentWaitsForTheRankerOfItsSpace) {
  std::mutex mutex;
  std::condition_variable learned;
  int rings = 0;
  const auto store = open_store(":memory:");
  Service service(*store, [&] {
    const std::lock_guard<std::mutex> lock(mutex);
    ++rings;
    learned.notify_one();
  });
  int next = 0;
  const auto ask = [&](const std::string& experiment, Body body) {
    return service.answer(encode({experiment, "q" + std::to_string(next++), std::move(body)}));
  };
  EXPECT_EQ(ask("first", begin()).wait_for, "") << "there is nothing to learn from";
  ask("first", RequestTrialJobs{"r", {0, 1, 2, 3}});
  for (int id = 0; id < 3; ++id) ask("first", final_result(id, std::to_string(0.1 * id)));
  EXPECT_FALSE(service.is_learning());
  ask("first", final_result(3, "0.8"));
  EXPECT_TRUE(service.is_learning()) << "the budget's results are in";

  const Answer answer = ask("second", begin());
  EXPECT_NE(answer.wait_for, "");
  EXPECT_EQ(std::get<Initialized>(decode(answer.frame).body).past_tasks, 1);
  {
    std::unique_lock<std::mutex> lock(mutex);
    ASSERT_TRUE(learned.wait_for(lock, std::chrono::seconds(60), [&] { return rings > 0; }));
  }
  service.commit_learned();
  EXPECT_FALSE(service.is_learning(answer.wait_for));
  ASSERT_EQ(store->rankers().size(), 1u);
  EXPECT_EQ(store->rankers()[0].version, 1);
  EXPECT_EQ(store->rankers()[0].results, 4);
  EXPECT_EQ(ask("third", begin()).wait_for, "") << "the ranker knows everything already";
}

TEST_F(ServiceTest, ClientsWithKeysSetNoOptionsOfWhatTheyShare) {
  Initialize start = begin();
  start.policy = "hyperfd:iterations=1000000";
  const std::string frame = encode({"e", "1", start}), key(40, 'k');
  EXPECT_EQ(expect<Failure>(decode(service_.answer(frame, key).frame)).message,
            "policy: expected a name without options, as clients with keys share their rankers, got "
            "\"hyperfd:iterations=1000000\" (the tuner's owner may allow them: serve --policy-options)");
  expect<Initialized>(decode(service_.answer(frame).frame));
  TenantLimits limits;
  limits.policy_options = true;
  Service generous(
      store_, [] {}, learn_ranker, [] {}, {}, limits);
  expect<Initialized>(decode(generous.answer(frame, key).frame));
}

TEST_F(ServiceTest, OffersOnlyTheBundleThatItsOperatorNames) {
  EXPECT_THAT(expect<Failure>(ask(RequestBundle{}, "", "-")).message, HasSubstr("this tuner offers none"));

  const TemporaryFolder folder;
  const std::string file = folder.file("bundle.sqlite");
  std::int64_t version = 0;
  const auto add = [&](const std::string& name) {
    const auto store = open_store(file);
    StoreTransaction transaction(*store);
    ExperimentRecord experiment;
    experiment.name = name;
    experiment.space = store->space("signature", "{}");
    experiment.signature = "signature";
    store->add_experiment(experiment);
    RankerRecord ranker;
    ranker.signature = "signature";
    ranker.version = ++version;
    ranker.model = std::string(2 * BundleOffer::kPartBytes, 'm');
    store->add_ranker(ranker);
    transaction.commit();
  };
  add("offline/task");
  service_.offer(BundleOffer(file));
  const std::string content = read_file(file);
  std::string got;
  int parts = 0;
  for (; parts == 0 || got.size() < content.size(); ++parts) {
    const auto part = expect<BundlePart>(ask(RequestBundle{static_cast<std::int64_t>(got.size())}, "", "-"));
    ASSERT_LE(part.part.size(), BundleOffer::kPartBytes);
    ASSERT_FALSE(part.part.empty());
    EXPECT_EQ(part.size, static_cast<std::int64_t>(content.size()));
    EXPECT_EQ(part.digest, sha256(content));
    got.append(part.part.begin(), part.part.end());
  }
  EXPECT_EQ(got, content);
  EXPECT_GE(parts, 3);
  for (const std::int64_t offset : {static_cast<std::int64_t>(got.size()) + 1, std::int64_t{-1}}) {
    EXPECT_THAT(expect<Failure>(ask(RequestBundle{offset})).message, HasSubstr("offset: expected 0 to"));
  }

  EXPECT_THROW(BundleOffer(folder.file("missing")), StoreError);
  add("their experiment");
  EXPECT_THAT(message_of([&] { const BundleOffer theirs(file); }),
              HasSubstr("a client's experiment, \"their experiment\""));
}

}  // namespace
}  // namespace hyperfd::wire
