#include "tuner/wire/tenants.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tuner/platform/sqlite_store.h"
#include "tuner/wire/codec.h"
#include "tuner/wire/service.h"

namespace hyperfd::wire {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using namespace std::chrono_literals;

constexpr char kSpace[] = R"({"x":{"_type":"uniform","_value":[0,1]}})";
const std::string kAlice(40, 'A'), kBob(40, 'B');

class TenantsTest : public ::testing::Test {
 protected:
  Body ask(const std::string& tenant, Body body, const std::string& experiment = "e", std::string request = "") {
    if (request.empty()) request = "q" + std::to_string(next_++);
    return decode(service_.answer(encode({experiment, request, std::move(body)}), tenant).frame).body;
  }
  Body begin(const std::string& tenant, const std::string& experiment = "e") {
    return ask(tenant, Initialize{"r", kSpace, OptimizeMode::kMaximize, 4, "random", 1}, experiment);
  }
  static std::string code(const Body& body) {
    const auto* failure = std::get_if<Failure>(&body);
    return failure ? failure->code : "";
  }

  std::unique_ptr<ExperienceStore> store_ = open_store(":memory:");
  Service service_{*store_, [] {}, learn_ranker, [] {}, {}, {3, 1000}};
  int next_ = 0;
};

TEST_F(TenantsTest, AnotherClientsExperimentIsAsUnknownAsOneThatNeverWas) {
  begin(kAlice);
  ask(kAlice, RequestTrialJobs{"r", {0}});
  const Body mine = ask(kBob, RequestTrialJobs{"r", {0}}), nobodys = ask(kBob, RequestTrialJobs{"r", {0}}, "f");
  ASSERT_EQ(code(mine), "unknown_experiment");
  ASSERT_EQ(code(nobodys), "unknown_experiment");
  EXPECT_EQ(std::get<Failure>(mine).message, "experiment: \"e\" is not known; send IN first");
  for (const Body& attempt :
       std::vector<Body>{UpdateSearchSpace{"r", kSpace}, ReportMetric{"r", 0, "", MetricKind::kFinal, 0, "1", ""},
                         TrialEnd{"r", 0, "", TrialOutcome::kFailed}, ImportData{"r", {}}, AddCustomizedTrials{"r", {}},
                         Terminate{"r"}, OpenDataset{std::string(32, 's'), std::string(64, 'a'), 3, 4, {}}}) {
    EXPECT_EQ(code(ask(kBob, attempt)), "unknown_experiment");
  }
  EXPECT_EQ(store_->experiments().at(0).results, 0);
}

TEST_F(TenantsTest, TheSameNameIsAnExperimentOfItsOwnForEachClient) {
  begin(kAlice);
  const Body reply = begin(kBob);
  ASSERT_TRUE(std::holds_alternative<Initialized>(reply));
  EXPECT_FALSE(std::get<Initialized>(reply).resumed);
  ask(kBob, RequestTrialJobs{"r", {0}});
  ask(kBob, ReportMetric{"r", 0, "", MetricKind::kFinal, 0, "1", ""});
  EXPECT_EQ(store_->experiments().at(0).results, 0);
  EXPECT_EQ(store_->experiments().at(1).results, 1);
}

TEST_F(TenantsTest, NamesThatSpellAnothersNameSpaceStayInTheirOwn) {
  begin(kAlice);
  EXPECT_EQ(code(ask(kBob, RequestTrialJobs{"r", {0}}, kAlice + "/e")), "unknown_experiment");
  EXPECT_EQ(code(ask(kBob, RequestTrialJobs{"r", {0}}, "../" + kAlice + "/e")), "unknown_experiment");
}

TEST_F(TenantsTest, StoredRepliesAreGivenToTheirOwnersOnly) {
  begin(kAlice);
  begin(kBob);
  ask(kAlice, RequestTrialJobs{"r", {0}}, "e", "same request");
  const Body bobs = ask(kBob, RequestTrialJobs{"r", {0, 1}}, "e", "same request");
  EXPECT_TRUE(std::holds_alternative<NewTrialJobs>(bobs)) << "it is a new one for him";
}

TEST_F(TenantsTest, SessionsOfDatasetsAreTheirOwnersToo) {
  const std::string session(32, 's');
  begin(kAlice);
  begin(kBob);
  ask(kAlice, OpenDataset{session, std::string(64, 'a'), 3, 4, {}});
  EXPECT_EQ(code(ask(kBob, NextOrder{session, 0})), "unknown_session");
  EXPECT_TRUE(std::holds_alternative<NoOrder>(ask(kAlice, NextOrder{session, 0})));
}

TEST_F(TenantsTest, ErrorsNameNoKey) {
  begin(kAlice);
  const Body reply = ask(kAlice, RequestTrialJobs{"r", {0}}, "unknown");
  EXPECT_THAT(std::get<Failure>(reply).message, Not(HasSubstr(kAlice)));
}

TEST_F(TenantsTest, AClientMayHaveSoManyExperimentsAndNoMore) {
  for (const char* name : {"a", "b", "c"}) EXPECT_EQ(code(begin(kAlice, name)), "");
  EXPECT_EQ(code(begin(kAlice, "d")), "input");
  EXPECT_EQ(code(begin(kAlice, "a")), "") << "what it has goes on";
  EXPECT_EQ(code(begin(kBob, "d")), "");
  for (const char* name : {"a", "b", "c", "d"})
    EXPECT_EQ(code(begin("", name)), "") << "without keys there is one user";
}

TEST(RequestRates, RefuseAboveABurstAndRecover) {
  RequestRates rates(10);
  const auto begin = RequestRates::Clock::time_point() + 1h;
  for (int i = 0; i < 40; ++i) rates.count("a", begin);
  EXPECT_THROW(rates.count("a", begin), LimitExceeded);
  EXPECT_NO_THROW(rates.count("b", begin));
  EXPECT_NO_THROW(rates.count("a", begin + 150ms));
  EXPECT_THROW(rates.count("a", begin + 160ms), LimitExceeded);
  for (int i = 0; i < 1000; ++i) EXPECT_NO_THROW(rates.count("", begin));
}

}  // namespace
}  // namespace hyperfd::wire
