// A platform that learns from a data set over a socket.
#include <condition_variable>
#include <mutex>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/torch.h>

#include "tests/tuner/temporary_folder.h"
#include "tests/tuner/wire/test_client.h"
#include "tuner/platform/platform.h"
#include "tuner/platform/sqlite_store.h"
#include "tuner/ranker/local_dataset_client.h"
#include "tuner/ranker/ranking_model.h"
#include "tuner/ranker/single_thread.h"
#include "tuner/ranker/tensors.h"
#include "tuner/wire/dataset_server.h"
#include "tuner/wire/server.h"

namespace hyperfd::wire {
namespace {

using ::testing::HasSubstr;
using namespace std::chrono_literals;

constexpr char kSpace[] = R"({"x":{"_type":"uniform","_value":[0,1]},"y":{"_type":"choice","_value":[1,2,3]}})";
constexpr char kPolicy[] = "hyperfd:hidden=8:iterations=20:warm_up=0";
constexpr char kExperiment[] = "faces";
const std::string kHash(64, 'a');
const std::vector<Statistic> kNumbers = {{"images", 3.7}, {"boxes", 5.2}};

std::unique_ptr<LocalDatasetClient> make_dataset() {
  Rng rng(3);
  return std::make_unique<LocalDatasetClient>(uniform_tensor({40, 6}, 1, rng), torch::tensor({3.7f, 5.2f}), 8);
}

OpenDataset about() {
  return {"", kHash, 6, 40, kNumbers};
}

std::string configuration(int i) {
  return "{\"x\":" + std::to_string(0.1 * i) + ",\"y\":" + std::to_string(1 + i % 3) + "}";
}
std::string metric(int i) {
  return std::to_string(0.5 + 0.03 * (i * 7 % 5));
}

// The same experience through the platform in this process, whose data set is asked directly.
class LocalDirectory : public DatasetDirectory {
 public:
  bool serves(std::int64_t) override { return true; }
  std::shared_ptr<DatasetClient> lend(std::int64_t) override { return make_dataset(); }
  void request_feature(std::int64_t, std::int64_t, const std::vector<float>&, std::uint64_t) override {}
  void dismiss(std::int64_t, const std::string&) override {}
};

std::vector<std::string> learn_locally() {
  std::mutex mutex;
  std::condition_variable finished;
  bool is_finished = false;
  LocalDirectory directory;
  const auto store = open_store(":memory:");
  Platform platform(
      *store,
      [&] {
        const std::lock_guard<std::mutex> lock(mutex);
        is_finished = true;
        finished.notify_one();
      },
      learn_ranker, directory);
  std::vector<std::string> models;
  const RunInfo info = platform.begin_run(kExperiment, {"r", kSpace, OptimizeMode::kMaximize, 4, kPolicy, 1});
  platform.open_dataset(kExperiment, {kHash, 6, 40, {{"images", 3.7}, {"boxes", 5.2}}});
  const auto learn = [&] {
    platform.start_due_updates();
    std::unique_lock<std::mutex> lock(mutex);
    finished.wait(lock, [&] { return is_finished; });
    is_finished = false;
    lock.unlock();
    platform.commit_learned();
    models.push_back(store->latest_ranker(info.signature)->model);
  };
  for (int i = 0; i < 5; ++i) {
    platform.add_metric(kExperiment, "r",
                        {std::nullopt, "job" + std::to_string(i), MetricKind::kFinal, 0, metric(i), configuration(i)});
    if (i == 3) learn();
  }
  platform.end_run(kExperiment, "r");
  learn();
  return models;
}

class RemoteDatasetTest : public ::testing::Test {
 protected:
  RemoteDatasetTest() {
    ServerOptions options;
    options.endpoint = "tcp://127.0.0.1:*";
    options.insecure = true;
    options.poll_patience = 200ms;
    options.dataset_times = {2000ms, 5000ms};
    server_ = std::make_unique<Server>(*store_, options);
    thread_ = std::thread([this] { server_->run(); });
    client_ = std::make_unique<TestClient>(server_->endpoint());
    ask(Initialize{"r", kSpace, OptimizeMode::kMaximize, 4, kPolicy, 1});
  }
  ~RemoteDatasetTest() override {
    stop_ = true;
    if (serving_.joinable()) serving_.join();
    server_->stop();
    thread_.join();
  }

  Body ask(Body body) {
    return client_->ask({kExperiment, "q" + std::to_string(next_++), std::move(body)}).value().body;
  }
  void report(int i) {
    ask(ReportMetric{"r", std::nullopt, "job" + std::to_string(i), MetricKind::kFinal, 0, metric(i), configuration(i)});
  }
  ServingOptions serving_options() const {
    ServingOptions options;
    options.connection.endpoint = server_->endpoint();
    options.experiment = kExperiment;
    options.away = 5000ms;
    options.pause = 10ms;
    return options;
  }
  // In another thread, as another process would.
  void serve(std::shared_ptr<DatasetClient> dataset, const ServingEvents& more = {}) {
    ServingEvents events = more;
    events.on_settled = [this] { settled_ = true; };
    serving_ = std::thread([this, dataset = std::move(dataset), events] {
      const SingleThread single_thread;
      try {
        result_ = serve_dataset(*dataset, about(), serving_options(), events, [this] { return stop_.load(); });
      } catch (const Error& error) {
        error_ = error.what();
      }
    });
    for (int i = 0; i < 2000 && !settled_; ++i) std::this_thread::sleep_for(2ms);
  }
  // The ranker of this version, when it is there.
  std::string model(std::int64_t version) {
    const auto reader = open_store(file_, StoreAccess::kReadOnly);
    const std::string signature = SearchSpace::parse(parse_json(kSpace, "space")).signature();
    for (int i = 0; i < 3000; ++i) {
      const auto ranker = reader->latest_ranker(signature);
      if (ranker && ranker->version >= version) return ranker->model;
      std::this_thread::sleep_for(10ms);
    }
    return "";
  }

  TemporaryFolder folder_;
  std::string file_ = folder_.file("store.sqlite");
  std::unique_ptr<ExperienceStore> store_ = open_store(file_);
  std::unique_ptr<Server> server_;
  std::thread thread_, serving_;
  std::unique_ptr<TestClient> client_;
  std::atomic<bool> stop_{false}, settled_{false};
  ServingResult result_;
  std::string error_;
  int next_ = 0;
};

TEST_F(RemoteDatasetTest, TheSameWeightsAsInThisProcessToTheBit) {
  const std::vector<std::string> expected = learn_locally();
  serve(make_dataset());
  for (int i = 0; i < 4; ++i) report(i);
  EXPECT_EQ(model(1), expected[0]);
  report(4);
  ask(Terminate{"r"});
  EXPECT_EQ(model(2), expected[1]);
  serving_.join();
  EXPECT_EQ(result_.end, ServingEnd::kDismissed) << error_;
  EXPECT_GT(result_.orders, 10);
  const auto learned = RankingModel::deserialize(expected[1]);
  ASSERT_TRUE(learned.extractor_input());
  EXPECT_EQ(learned.extractor_input()->frozen, kHash);
}

// Goes away after some calls, without a word.
class Vanishing : public DatasetClient {
 public:
  Vanishing(int calls, std::atomic<bool>& stop) : calls_(calls), stop_(stop) {}
  MetaFeaturePair forward(const std::vector<float>& weights, std::uint64_t seed) override {
    count();
    return dataset_->forward(weights, seed);
  }
  std::vector<float> backward(const MetaFeaturePair& gradient) override {
    count();
    return dataset_->backward(gradient);
  }

 private:
  void count() {
    if (calls_-- == 0) stop_ = true;
  }
  std::unique_ptr<LocalDatasetClient> dataset_ = make_dataset();
  int calls_;
  std::atomic<bool>& stop_;
};

TEST_F(RemoteDatasetTest, AnUpdateGoesOnWithoutAClientThatVanishes) {
  serve(std::make_shared<Vanishing>(3, stop_));
  for (int i = 0; i < 4; ++i) report(i);
  EXPECT_TRUE(std::holds_alternative<NewTrialJobs>(ask(RequestTrialJobs{"r", {0}}))) << "suggestions go on meanwhile";
  EXPECT_TRUE(RankingModel::deserialize(model(1)).trained());
}

TEST_F(RemoteDatasetTest, ANewTaskIsAskedForItsMetaFeatureAtOnce) {
  serve(make_dataset());
  for (int i = 0; i < 4; ++i) report(i);
  ASSERT_NE(model(1), "");
  const auto reader = open_store(file_, StoreAccess::kReadOnly);
  std::vector<float> feature;
  for (int i = 0; i < 500 && feature.empty(); ++i) {
    std::this_thread::sleep_for(10ms);
    if (const auto known = reader->find_dataset(1)) feature = known->feature;
  }
  EXPECT_EQ(feature.size(), 8u);
}

TEST_F(RemoteDatasetTest, AnotherExtractorsFeaturesAreRefusedWithTheReason) {
  serve(make_dataset());
  for (int i = 0; i < 4; ++i) report(i);
  ASSERT_NE(model(1), "");
  OpenDataset other{"sssssssssssssssss", std::string(64, 'b'), 6, 40, kNumbers};
  const Body reply = ask(other);
  ASSERT_TRUE(std::holds_alternative<Failure>(reply));
  EXPECT_THAT(std::get<Failure>(reply).message, HasSubstr("features of different extractors are never mixed"));
}

TEST_F(RemoteDatasetTest, AClientWaitsForItsExperimentAndGivesUp) {
  ServingOptions options = serving_options();
  options.experiment = "never begun";
  options.away = 100ms;
  const auto dataset = make_dataset();
  EXPECT_EQ(serve_dataset(*dataset, about(), options, {}, [] { return false; }).end, ServingEnd::kAway);
}

}  // namespace
}  // namespace hyperfd::wire
