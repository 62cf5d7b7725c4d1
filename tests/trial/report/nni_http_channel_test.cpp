#include "trial/report/nni_http_channel.h"

#include <chrono>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/trial/report/fake_nni_manager.h"

namespace hyperfd {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

Json metric(const char* type, int sequence, const std::string& value, int id = 7) {
  return {{"parameter_id", id},
          {"trial_job_id", FakeNniManager::kTrial},
          {"type", type},
          {"sequence", sequence},
          {"value", value}};
}

TEST(NniHttpChannel, ReportsUnderTheConfigurationItWasGiven) {
  FakeNniManager nni;
  NniHttpChannel channel(nni.environment("local"), nni.patience());

  EXPECT_EQ(channel.assignment().parameter_id, 7);
  EXPECT_EQ(channel.assignment().parameters, Json({{"x", 0.25}}));
  channel.report_intermediate(0.1);
  channel.report_intermediate({{"default", 0.5}, {"lat", 3}});
  channel.report_final(0.97);

  const std::vector<Json> expected = {metric("PERIODICAL", 0, "0.1"),
                                      metric("PERIODICAL", 1, R"({"default": 0.5, "lat": 3})"),
                                      metric("FINAL", 0, "0.97")};
  EXPECT_EQ(nni.metrics(), expected);
  EXPECT_EQ(nni.parameter_requests(), 1);
}

TEST(NniHttpChannel, WaitsWhileTheManagerHasNoConfigurationYet) {
  FakeNniManager nni;
  nni.timeouts_before_queued = 3;
  NniHttpChannel channel(nni.environment("remote"), nni.patience());
  EXPECT_EQ(channel.assignment().parameter_id, 7);
  EXPECT_EQ(nni.parameter_requests(), 1);
}

TEST(NniHttpChannel, TheTrialsRecordWinsOverTheQueue) {
  FakeNniManager nni;
  nni.queued = nni.record(6, R"({"x":0.75})");
  NniHttpChannel channel(nni.environment("local"), nni.patience());
  EXPECT_EQ(channel.assignment().parameters, Json({{"x", 0.25}}));
  channel.report_final(0.5);
  EXPECT_EQ(nni.metrics(), std::vector<Json>{metric("FINAL", 0, "0.5", 7)});
}

TEST(NniHttpChannel, TheTrialsRecordWillDoWhenTheQueueIsEmpty) {
  FakeNniManager nni;
  nni.queued = "";
  NniHttpChannel channel(nni.environment("local"), nni.patience());
  EXPECT_EQ(channel.assignment().parameter_id, 7);
}

TEST(NniHttpChannel, TheTrialsRecordWillDoWhenTheQueueHandsOutNonsense) {
  FakeNniManager nni;
  nni.queued = "<html>";
  NniHttpChannel channel(nni.environment("local"), nni.patience());
  EXPECT_EQ(channel.assignment().parameter_id, 7);
}

TEST(NniHttpChannel, WaitsUntilTheManagerHasStoredTheTrial) {
  FakeNniManager nni;
  nni.queued = nni.record(6, R"({"x":0.75})");
  nni.polls_before_registration = 5;
  NniHttpChannel channel(nni.environment("local"), nni.patience());
  EXPECT_EQ(channel.assignment().parameter_id, 7);
}

TEST(NniHttpChannel, AResumedTrialWaitsForItsNewLife) {
  FakeNniManager nni;
  nni.polls_before_registration = 4;
  nni.job_before_registration = nni.job_body("ADD_RESUMED", nni.record(2, R"({"x":0.5})"));
  nni.job = nni.job_body("WAITING", nni.record(7, R"({"x":0.25})"));
  NniHttpChannel channel(nni.environment("local"), nni.patience());
  EXPECT_EQ(channel.assignment().parameter_id, 7);
}

TEST(NniHttpChannel, UsesTheQueueWhenTheTrialIsNeverStored) {
  FakeNniManager nni;
  nni.polls_before_registration = std::numeric_limits<int>::max();
  nni.queued = nni.record(6, R"({"x":0.75})");
  NniHttpChannel channel(nni.environment("local"), nni.hardly_any_patience());
  EXPECT_EQ(channel.assignment().parameter_id, 6);
}

TEST(NniHttpChannel, NonsenseOnRecordIsNoRecord) {
  for (const std::string& body : {std::string("<html>"), std::string("[]"), std::string(R"({"status":"RUNNING"})"),
                                  std::string(R"({"trialJobId":"AbCdE","status":"RUNNING","hyperParameters":7})"),
                                  std::string(R"({"trialJobId":"AbCdE","status":{},"hyperParameters":[]})"),
                                  FakeNniManager::job_body("RUNNING", "{"), std::string("\"\xff\"")}) {
    FakeNniManager nni;
    nni.queued = nni.record(6, R"({"x":0.75})");
    nni.job = body;
    NniHttpChannel channel(nni.environment("local"), nni.hardly_any_patience());
    EXPECT_EQ(channel.assignment().parameter_id, 6) << body;
  }
}

TEST(NniHttpChannel, ARemoteKeeperHasNoRecords) {
  FakeNniManager nni;
  nni.has_rest = false;
  nni.queued = nni.record(6, R"({"x":0.75})");
  for (const char* platform : {"remote", "local"}) {
    const auto start = std::chrono::steady_clock::now();
    NniHttpChannel channel(nni.environment(platform), nni.patience());
    EXPECT_EQ(channel.assignment().parameter_id, 6);
    EXPECT_GE(std::chrono::steady_clock::now() - start, nni.patience().blind_wait) << "registration needs a moment";
  }
}

TEST(NniHttpChannel, SaysWhenTheManagerShutsDown) {
  FakeNniManager nni;
  nni.gone = true;
  NniHttpChannel channel(nni.environment("local"), nni.patience());
  EXPECT_THAT([&] { channel.assignment(); }, ThrowsMessage<ProtocolError>(HasSubstr("shutting down (410)")));
}

TEST(NniHttpChannel, RemoteNonsenseIsAnErrorThatNamesUrlAndExpectation) {
  for (const std::string& queued : {std::string("garbage"), std::string("[1]"), std::string("null"),
                                    FakeNniManager::record(1, "\"\""), std::string("{\"parameters\":{}}"),
                                    std::string("{\"parameter_id\":1.5,\"parameters\":{}}"), std::string("{")}) {
    FakeNniManager nni;
    nni.queued = queued;
    NniHttpChannel channel(nni.environment("remote"), nni.patience());
    EXPECT_THAT([&] { channel.assignment(); },
                ThrowsMessage<ProtocolError>(testing::AllOf(HasSubstr("/env/local-env/AbCdE"), HasSubstr("expected"))))
        << queued;
  }
}

TEST(NniHttpChannel, RemoteGivesUpWhenNothingIsHandedOut) {
  FakeNniManager nni;
  nni.queued = "";
  NniHttpChannel channel(nni.environment("remote"), nni.hardly_any_patience());
  EXPECT_THAT([&] { channel.assignment(); }, ThrowsMessage<ProtocolError>(HasSubstr("408")));
}

TEST(NniHttpChannel, SurvivesConnectionsThatClose) {
  for (const int lost : {1, 2, 5}) {
    for (const char* platform : {"local", "remote"}) {
      FakeNniManager nni;
      nni.lost_requests = lost;
      NniHttpChannel channel(nni.environment(platform), nni.patience());
      EXPECT_EQ(channel.assignment().parameter_id, 7) << lost << platform;
      EXPECT_EQ(nni.parameter_requests(), 1) << lost << platform;
    }
  }
}

TEST(NniHttpChannel, AMetricIsSentAgainWhenItsConnectionCloses) {
  FakeNniManager nni;
  NniHttpChannel channel(nni.environment("local"), nni.patience());
  channel.assignment();
  nni.lost_requests = 4;  // the first PUT, the look whether it arrived, and so once more
  channel.report_final(0.5);
  EXPECT_EQ(nni.metrics(), std::vector<Json>{metric("FINAL", 0, "0.5")});
}

TEST(NniHttpChannel, AFinalResultIsNotSentAgainWhenOnlyTheReplyWasLost) {
  FakeNniManager nni;
  NniHttpChannel channel(nni.environment("local"), nni.patience());
  nni.lost_replies_to_metrics = 1;
  channel.report_final(0.5);
  EXPECT_EQ(nni.metrics(), std::vector<Json>{metric("FINAL", 0, "0.5")});
}

TEST(NniHttpChannel, GivesUpSoonWhenTheManagerHasStoppedListening) {
  std::optional<FakeNniManager> nni;
  nni.emplace();
  NniHttpPatience patience = nni->patience();
  patience.unreachable = std::chrono::milliseconds(100);  // while give_up stays long
  NniHttpChannel channel(nni->environment("local"), patience);
  channel.assignment();
  nni.reset();
  const auto start = std::chrono::steady_clock::now();
  EXPECT_THAT([&] { channel.report_final(0.5); },
              ThrowsMessage<ProtocolError>(testing::AllOf(HasSubstr("PUT http://localhost:"), HasSubstr("refused"))));
  const auto waited = std::chrono::steady_clock::now() - start;
  EXPECT_GE(waited, patience.unreachable / 2) << "it may only just be starting";
  EXPECT_LT(waited, patience.give_up / 2);
}

TEST(NniHttpChannel, ARefusedMetricIsAnErrorWithTheStatus) {
  FakeNniManager nni;
  NniHttpChannel channel(nni.environment("local"), nni.patience());
  nni.metric_status = 413;
  EXPECT_THAT([&] { channel.report_final(0.5); }, ThrowsMessage<ProtocolError>(HasSubstr("got status 413")));
  nni.metric_status = 200;
  channel.report_final(0.5);
  EXPECT_EQ(nni.metrics().size(), 1u) << "after an error the result can be reported again";
}

TEST(NniHttpChannel, NothingPoisonousIsSent) {
  FakeNniManager nni;
  NniHttpChannel channel(nni.environment("local"), nni.patience());
  const double nan = std::numeric_limits<double>::quiet_NaN(), infinity = std::numeric_limits<double>::infinity();
  for (const Json& value :
       {Json(nan), Json(infinity), Json("abc"), Json(), Json::array({1}), Json(true), Json({{"accuracy", 1}}),
        Json({{"default", "1"}}), Json({{"default", nan}}), Json({{"default", 1}, {"per_class", {0.5, -infinity}}})}) {
    EXPECT_THROW(channel.report_intermediate(value), InputError) << value;
    EXPECT_THROW(channel.report_final(value), InputError) << value;
  }
  EXPECT_TRUE(nni.metrics().empty());
  channel.report_intermediate(0.5);
  EXPECT_EQ(nni.metrics(), std::vector<Json>{metric("PERIODICAL", 0, "0.5")}) << "no hole in the sequence";
}

TEST(NniHttpChannel, ASecondFinalResultIsNotSent) {
  FakeNniManager nni;
  NniHttpChannel channel(nni.environment("local"), nni.patience());
  channel.report_final(0.5);
  channel.report_final(0.6);
  EXPECT_EQ(nni.metrics(), std::vector<Json>{metric("FINAL", 0, "0.5")});
}

TEST(NniHttpChannel, KeepsTheIdsOfAdvisorsAndOfCustomisedTrials) {
  for (const char* id : {"\"1_0_3\"", "null"}) {
    FakeNniManager nni;
    nni.queued = std::string(R"({"parameter_id": )") + id + R"(, "parameters": {"x": 1}})";
    nni.job = nni.job_body("RUNNING", nni.queued);
    NniHttpChannel channel(nni.environment("local"), nni.patience());
    channel.report_final(1);
    EXPECT_EQ(nni.metrics().at(0).at("parameter_id"), Json::parse(id));
  }
}

TEST(NniHttpChannel, FindsAManagerThatListensOnOneAddressOnly) {
  FakeNniManager ipv4("127.0.0.1");
  EXPECT_EQ(NniHttpChannel(ipv4.environment("local", "localhost"), ipv4.patience()).assignment().parameter_id, 7);

  std::optional<FakeNniManager> ipv6;
  try {
    ipv6.emplace("::1");
  } catch (const boost::system::system_error&) {
    GTEST_SKIP() << "this machine has no IPv6 loopback address";
  }
  EXPECT_EQ(NniHttpChannel(ipv6->environment("local", "[::1]"), ipv6->patience()).assignment().parameter_id, 7);
}

TEST(NniHttpChannel, IgnoresAProxy) {
  FakeNniManager nni;
  setenv("http_proxy", "http://127.0.0.1:9", 1);
  NniHttpChannel channel(nni.environment("local"), nni.patience());
  EXPECT_EQ(channel.assignment().parameter_id, 7);
  unsetenv("http_proxy");
}

}  // namespace
}  // namespace hyperfd
