#include <atomic>
#include <csignal>
#include <map>
#include <set>

#include <gtest/gtest.h>

#include "tests/integration/tuner_process.h"
#include "tests/tuner/temporary_folder.h"
#include "tuner/base/rng.h"
#include "tuner/platform/sqlite_store.h"

namespace hyperfd {
namespace {

using namespace std::chrono_literals;

constexpr char kSpace[] = R"({"x":{"_type":"uniform","_value":[0,1]},"y":{"_type":"choice","_value":[1,2,3]}})";

class TunerRestart : public ::testing::Test {
 protected:
  TemporaryFolder folder_;
  std::string store_ = folder_.file("store.sqlite");
  std::string endpoint_ = "ipc://" + folder_.file("tuner.sock");
};

// A client that lives through its server's deaths: a request without answer is sent again, as the protocol says.
class Worker {
 public:
  explicit Worker(const std::string& endpoint) : client_(endpoint) {}

  wire::Body ask(wire::Body body) {
    const std::string request = "q" + std::to_string(next_++);
    const std::string frame = wire::encode({"experiment", request, std::move(body)});
    while (true) {
      client_.send(frame);
      // Answers to earlier copies of a request may still come.
      while (const auto reply = client_.receive(200ms)) {
        if (reply->request == request) return reply->body;
      }
    }
  }

 private:
  wire::TestClient client_;
  int next_ = 0;
};

TEST_F(TunerRestart, KeepsAcknowledgedResults) {
  constexpr int kDeaths = 12;
  std::map<std::int64_t, std::string> acknowledged;  // id → configuration whose result was acknowledged

  std::atomic<bool> enough{false};  // deaths
  std::thread worker([&] {
    Worker ask(endpoint_);
    ask.ask(wire::Initialize{"r", kSpace, OptimizeMode::kMaximize, 20, "hyperfd", 3});
    for (std::int64_t id = 0; id < 20 || !enough; ++id) {
      const auto given = std::get<wire::NewTrialJobs>(ask.ask(wire::RequestTrialJobs{"r", {id}}));
      const auto again = std::get<wire::NewTrialJobs>(ask.ask(wire::RequestTrialJobs{"r", {id}}));
      EXPECT_EQ(given.trials.at(0).parameters, again.trials.at(0).parameters) << "id " << id;
      const wire::ReportMetric result{"r", id, "", MetricKind::kFinal, 0, std::to_string(id), ""};
      EXPECT_EQ(std::get<wire::Acknowledged>(ask.ask(result)).counted, 1) << "id " << id;
      EXPECT_EQ(std::get<wire::Acknowledged>(ask.ask(result)).counted, 0) << "id " << id;
      acknowledged[id] = given.trials.at(0).parameters;
    }
  });

  Rng rng(5);
  for (int death = 0; death < kDeaths; ++death) {
    ServingTuner tuner(store_, endpoint_);
    tuner.wait_until_it_answers();
    std::this_thread::sleep_for(std::chrono::microseconds(rng.below(60'000)));
    tuner.kill();
  }
  enough = true;
  ServingTuner survivor(store_, endpoint_);  // answers what the worker still waits for
  worker.join();
  survivor.kill();

  const auto store = open_store(store_);
  const auto rows = store->configurations(store->find_experiment("experiment")->id);
  ASSERT_EQ(rows.size(), acknowledged.size());
  std::set<std::string> fingerprints;
  for (const ConfigurationRecord& row : rows) {
    EXPECT_EQ(row.parameters, acknowledged.at(row.parameter_id.value()));
    EXPECT_EQ(row.metric, static_cast<double>(*row.parameter_id));
    EXPECT_TRUE(fingerprints.insert(row.fingerprint).second) << "suggested twice: " << row.parameters;
  }
}

TEST_F(TunerRestart, SuggestsTheSameAsWithoutOne) {
  const auto suggestions = [&](const std::string& name, bool restarting) {
    const std::string store = folder_.file(name + ".sqlite");
    auto tuner = std::make_unique<ServingTuner>(store, endpoint_);
    std::vector<std::string> all;
    Worker ask(endpoint_);
    ask.ask(wire::Initialize{"r", kSpace, OptimizeMode::kMaximize, 0, "random", 9});
    for (std::int64_t id = 0; id < 4; ++id) {
      if (restarting) {
        tuner->kill();
        tuner = std::make_unique<ServingTuner>(store, endpoint_);
      }
      all.push_back(std::get<wire::NewTrialJobs>(ask.ask(wire::RequestTrialJobs{"r", {id}})).trials.at(0).parameters);
    }
    return all;
  };
  EXPECT_EQ(suggestions("without", false), suggestions("with", true));
}

TEST_F(TunerRestart, SecondServerOnOneStoreRefuses) {
  ServingTuner first(store_, endpoint_);
  first.wait_until_it_answers();
  const Finished second = run_tuner({"serve", "--store", store_, "--endpoint", "ipc://" + folder_.file("other.sock")});
  EXPECT_EQ(second.exit_code, 4);
  EXPECT_EQ(second.err, "hyperfd-tuner: " + store_ + ": locked by another hyperfd-tuner (process " +
                            std::to_string(first.pid()) + ")\n");
  first.wait_until_it_answers();
  first.kill();
  ServingTuner third(store_, endpoint_);
  third.wait_until_it_answers();
}

TEST_F(TunerRestart, SignalsEndItCleanly) {
  for (const int number : {SIGTERM, SIGINT}) {
    ServingTuner tuner(store_, endpoint_);
    tuner.wait_until_it_answers();
    tuner.signal(number);
    EXPECT_EQ(tuner.wait(), 0);
  }
}

TEST_F(TunerRestart, IdleServerExitsByItself) {
  ServingTuner tuner(store_, endpoint_, {"--idle-exit", "1"});
  EXPECT_EQ(tuner.wait(), 0);
}

}  // namespace
}  // namespace hyperfd
