#include <algorithm>
#include <cmath>
#include <condition_variable>
#include <mutex>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tuner/platform/configuration_encoding.h"
#include "tuner/platform/platform.h"
#include "tuner/platform/selection_policy.h"
#include "tuner/platform/sqlite_store.h"
#include "tuner/ranker/ranking_model.h"

namespace hyperfd {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr char kSpace[] = R"({"x":{"_type":"choice","_value":[1,2,3,4,5,6,7,8,9,10,11,12]}})";
constexpr char kQuick[] = "hyperfd:hidden=8:iterations=5:warm_up=0";
const std::string kHash(64, 'a'), kOtherHash(64, 'b');

// Data sets that clients pretend to serve: φ is the same four numbers again and again.
class FakeDirectory : public DatasetDirectory {
 public:
  class Client : public DatasetClient {
   public:
    explicit Client(std::size_t units) : units_(units) {}
    MetaFeaturePair forward(const std::vector<float>& weights, std::uint64_t) override {
      weights_ = weights.size();
      return {std::vector<float>(units_, 0.5f), std::vector<float>(units_, 0.25f)};
    }
    std::vector<float> backward(const MetaFeaturePair&) override { return std::vector<float>(weights_, 0.01f); }

   private:
    std::size_t units_, weights_ = 0;
  };

  bool serves(std::int64_t task) override { return served.count(task) > 0; }
  std::shared_ptr<DatasetClient> lend(std::int64_t task) override {
    return serves(task) ? std::make_shared<Client>(units) : nullptr;
  }
  void request_feature(std::int64_t task, std::int64_t version, const std::vector<float>&, std::uint64_t) override {
    requests.emplace_back(task, version);
  }
  void dismiss(std::int64_t task, const std::string& reason) override {
    served.erase(task);
    dismissed[task] = reason;
  }

  std::size_t units = 8;
  std::set<std::int64_t> served;
  std::vector<std::pair<std::int64_t, std::int64_t>> requests;  // task, version
  std::map<std::int64_t, std::string> dismissed;
};

class LearningTest : public ::testing::Test {
 protected:
  RunInfo begin(const std::string& experiment, const std::string& policy = kQuick,
                std::vector<NamedNumber> meta_features = {}) {
    RunStart start{"r", kSpace, OptimizeMode::kMaximize, 4, policy, 1};
    start.meta_features = std::move(meta_features);
    return platform_.begin_run(experiment, start);
  }
  void open_dataset(const std::string& experiment, const std::string& hash = kHash) {
    platform_.open_dataset(experiment, {hash, 3, 10, {{"boxes", 2}}});
    directory_.served.insert(platform_.task(experiment));
    platform_.attend_datasets();
  }
  // Four results, which is the budget; waits for the update that follows.
  void run(const std::string& experiment) {
    platform_.suggest(experiment, "r", {0, 1, 2, 3});
    for (int i = 0; i < 4; ++i) {
      platform_.add_metric(experiment, "r", {i, "", MetricKind::kFinal, 0, std::to_string(i), ""});
    }
    learn();
  }
  void learn() {
    platform_.start_due_updates();
    while (platform_.is_learning()) {
      std::unique_lock<std::mutex> lock(mutex_);
      finished_.wait(lock, [&] { return count_ > 0; });
      --count_;
      lock.unlock();
      platform_.commit_learned();
    }
    platform_.attend_datasets();
  }
  RankingModel model() { return RankingModel::deserialize(store_->latest_ranker(signature())->model); }
  std::string signature() { return SearchSpace::parse(parse_json(kSpace, "space")).signature(); }
  std::string error_of(const std::function<void()>& action) {
    try {
      action();
    } catch (const InputError& error) {
      return error.what();
    }
    return "";
  }

  std::mutex mutex_;
  std::condition_variable finished_;
  int count_ = 0;
  std::vector<RankerOptions> options_;  // of the updates so far
  std::vector<TaskRole> roles_;         // of the tasks of the latest one
  FakeDirectory directory_;
  std::unique_ptr<ExperienceStore> store_ = open_store(":memory:");
  Platform platform_{*store_,
                     [this] {
                       const std::lock_guard<std::mutex> lock(mutex_);
                       ++count_;
                       finished_.notify_one();
                     },
                     [this](const LearningJob& job) {
                       options_.push_back(job.options);
                       roles_.clear();
                       for (const auto& [task, known] : job.tasks) roles_.push_back(known.role);
                       return learn_ranker(job);
                     },
                     directory_};
};

TEST_F(LearningTest, TrainsByTheOptionsOfThePolicy) {
  begin("e", "hyperfd:hidden=8:iterations=3:warm_up=0:loss=mse");
  run("e");
  ASSERT_EQ(options_.size(), 1u);
  EXPECT_EQ(options_[0].loss, LossKind::kMse);
  EXPECT_EQ(options_[0].iterations_per_update, 3);
  EXPECT_EQ(model().options().hidden_units, 8);
  begin("f", "hyperfd:hidden=16:iterations=3:warm_up=0");
  run("f");
  EXPECT_EQ(model().options().hidden_units, 16) << "another width starts anew";
}

TEST_F(LearningTest, KnowsWhichTasksAreOfflinePastAndCurrent) {
  for (const char* experiment : {"offline/a", "earlier", "latest"}) {
    begin(experiment);
    run(experiment);
  }
  EXPECT_THAT(roles_, ElementsAre(TaskRole::kOffline, TaskRole::kPast, TaskRole::kCurrent));
}

TEST_F(LearningTest, LearnsEffectsForThePoliciesThatUseThem) {
  begin("e", "paper:hidden=8:iterations=3:warm_up=0");
  run("e");
  EXPECT_THAT(store_->latest_ranker(signature())->model, HasSubstr("\"effects\":null"));
  begin("f", "hyperfd:hidden=8:iterations=3:warm_up=0");
  run("f");
  EXPECT_THAT(store_->latest_ranker(signature())->model, HasSubstr("\"effects\":{"));
}

TEST_F(LearningTest, LearnsAnewForASpaceThatIsEncodedOtherwise) {
  begin("e");
  run("e");
  RunStart start{"r", kSpace, OptimizeMode::kMaximize, 4, "hyperfd:hidden=8:iterations=5:warm_up=0", 1};
  start.annotation = R"({"encoder": "joint", "architecture": {"input": {"channels": 3, "size": [64, 64]}, "stages": [
    {"name": "only", "width": 8, "repeat": {"key": "x"}, "block": {"operator": "conv", "kernel": 3}}]}})";
  platform_.begin_run("f", start);
  learn();
  EXPECT_GT(model().shape().node_features, 0u) << "no result is new, but nothing ranks by this graph yet";
  platform_.begin_run("g", start);
  platform_.start_due_updates();
  EXPECT_FALSE(platform_.is_learning());
}

TEST_F(LearningTest, LearnsFromNumbersThatUsersGive) {
  begin("e", "hyperfd:hidden=8:iterations=5:warm_up=0", {{"size", 3}, {"classes", 2}});
  run("e");
  begin("f", "hyperfd:hidden=8:iterations=5:warm_up=0", {{"classes", 7}, {"size", 1}});
  run("f");
  EXPECT_THAT(model().number_names(), ElementsAre("classes", "size"));
  EXPECT_THAT(error_of([&] {
                begin("g", "random", {{"a", 1}, {"a", 2}});
              }),
              HasSubstr("meta_features: a is there twice"));
  EXPECT_THAT(error_of([&] {
                begin("g", "random", {{"a", INFINITY}});
              }),
              HasSubstr("meta_features.a: expected at most 1e15 in magnitude, got inf"));
}

TEST_F(LearningTest, LearnsThroughADatasetThatIsServedAndKeepsItsMetaFeature) {
  begin("e");
  open_dataset("e");
  EXPECT_TRUE(directory_.requests.empty()) << "there is no extractor yet";
  run("e");
  ASSERT_TRUE(model().extractor_input());
  EXPECT_EQ(model().extractor_input()->frozen, kHash);
  // The first of G's weights, which all clients get, standardise its inputs: nothing of this data set is in them.
  const std::size_t inputs = model().extractor_input()->image_features + model().extractor_input()->statistics;
  const std::vector<float> weights = model().extractor_weights();
  for (std::size_t i = 0; i < inputs; ++i) {
    EXPECT_EQ(weights[i], 0) << i;
    EXPECT_EQ(weights[inputs + i], 1) << i;
  }
  const std::int64_t version = store_->latest_ranker(signature())->version;
  EXPECT_THAT(directory_.requests, ElementsAre(std::make_pair(platform_.task("e"), version)));
  platform_.set_feature(platform_.task("e"), version, std::vector<float>(8, 0.5f));
  EXPECT_EQ(store_->find_dataset(platform_.task("e"))->feature.size(), 8u);
  platform_.set_feature(platform_.task("e"), version - 1, std::vector<float>(8, 9.0f));
  EXPECT_EQ(store_->find_dataset(platform_.task("e"))->feature[0], 0.5f) << "of an outdated ranker";
  platform_.attend_datasets();
  EXPECT_EQ(directory_.requests.size(), 1u) << "that of the latest is known";
}

TEST_F(LearningTest, AsksAgainWhenAMetaFeatureCameTooLate) {
  begin("e");
  open_dataset("e");
  run("e");
  const std::int64_t task = platform_.task("e"), version = store_->latest_ranker(signature())->version;
  directory_.requests.clear();
  platform_.set_feature(task, version - 1, std::vector<float>(8, 0.5f));
  platform_.attend_datasets();
  EXPECT_THAT(directory_.requests, ElementsAre(std::make_pair(task, version)));
}

TEST_F(LearningTest, AsksANewDatasetForItsMetaFeatureAtOnce) {
  begin("e");
  open_dataset("e");
  run("e");
  directory_.requests.clear();
  begin("new");
  open_dataset("new");
  ASSERT_EQ(directory_.requests.size(), 1u);
  EXPECT_EQ(directory_.requests[0].first, platform_.task("new"));
}

TEST_F(LearningTest, NeverMixesFeaturesOfDifferentExtractors) {
  begin("e");
  open_dataset("e");
  run("e");
  begin("f");
  EXPECT_THAT(error_of([&] { open_dataset("f", kOtherHash); }),
              HasSubstr("learns from image features of aaaaaaaaaaaa (3 numbers an image, 1 statistics), these are of "
                        "bbbbbbbbbbbb"));
  EXPECT_THAT(error_of([&] { open_dataset("f", "xyz"); }), HasSubstr("extractor: expected 64 hexadecimal digits"));
}

TEST_F(LearningTest, DismissesADatasetWhenItsRunHasEndedAndIsLearnedFrom) {
  begin("e");
  open_dataset("e");
  run("e");
  const std::int64_t task = platform_.task("e");
  EXPECT_TRUE(directory_.dismissed.empty());
  platform_.add_metric("e", "r", {4, "", MetricKind::kFinal, 0, "0.5", R"({"x":7})"});
  platform_.end_run("e", "r");
  platform_.start_due_updates();
  platform_.attend_datasets();
  EXPECT_TRUE(directory_.dismissed.empty()) << "an update is under way";
  learn();
  EXPECT_TRUE(directory_.dismissed.count(task));
}

TEST_F(LearningTest, SuggestsByTheMetaFeatureOfTheTask) {
  begin("e");
  open_dataset("e");
  run("e");
  const std::int64_t version = store_->latest_ranker(signature())->version;
  const SearchSpace space = SearchSpace::parse(parse_json(kSpace, "space"));
  std::vector<EncodedConfiguration> points;
  for (std::uint64_t i = 0; i < *space.size(); ++i) points.push_back(encode(space, Annotation::none(), space.at(i)));
  std::set<std::size_t> chosen;
  for (const float number : {5.0f, -5.0f}) {
    const std::string name = "task with " + std::to_string(number);
    begin(name);
    open_dataset(name);
    const std::vector<float> feature(8, number);
    platform_.set_feature(platform_.task(name), version, feature);
    platform_.forget(name);  // it is in the store
    const std::vector<float> scores = model().score({name, {}, {}, {}, feature}, points);
    const auto best = static_cast<std::size_t>(std::max_element(scores.begin(), scores.end()) - scores.begin());
    EXPECT_EQ(parse_json(platform_.suggest(name, "r", {0})[0].parameters, ""), space.at(best));
    chosen.insert(best);
  }
  EXPECT_EQ(chosen.size(), 2u);
}

TEST_F(LearningTest, TunesHyperParametersAndArchitectureAtOnce) {
  const std::string file = HYPERFD_SOURCE_DIR "/search_spaces/joint.yaml";
  const SearchSpace space = SearchSpace::load(file);
  RunStart start{"r", space.definition().dump(), OptimizeMode::kMaximize, 4, kQuick, 1};
  start.annotation = Annotation::load("", file, space).text();
  for (const char* past : {"a", "b"}) {
    platform_.begin_run(past, start);
    run(past);
  }
  const auto ranker = store_->latest_ranker(space.signature());
  ASSERT_TRUE(ranker);
  EXPECT_GT(RankingModel::deserialize(ranker->model).shape().node_features, 0u);
  EXPECT_EQ(platform_.begin_run("new", start).past_tasks, 2);
  std::set<std::string> seen;
  for (int id = 0; id < 2; ++id) {
    const auto suggestions = platform_.suggest("new", "r", {id});
    ASSERT_EQ(suggestions.size(), 1u);
    const Configuration configuration = parse_json(suggestions[0].parameters, "suggestion");
    platform_.check_point("new", configuration);
    EXPECT_TRUE(seen.insert(fingerprint(configuration)).second) << configuration;
    EXPECT_EQ(platform_.add_metric("new", "r", {id, "", MetricKind::kFinal, 0, "0.5", ""}).counted, 1);
  }
}

class EveryPolicy : public LearningTest, public ::testing::WithParamInterface<std::string> {};

TEST_P(EveryPolicy, SuggestsAfterAPastTaskWhoseDataSetHasNumbers) {
  begin("past", kQuick, {{"classes", 2}, {"size", 3}});
  run("past");
  RunStart start{"r", kSpace, OptimizeMode::kMaximize, 3, GetParam(), 1};
  start.meta_features = {{"classes", 7}, {"size", 1}};
  EXPECT_EQ(platform_.begin_run("new", start).past_tasks, 1);
  std::set<std::string> seen;
  for (int id = 0; id < 3; ++id) {
    const auto suggestions = platform_.suggest("new", "r", {id});
    ASSERT_EQ(suggestions.size(), 1u);
    const Configuration configuration = parse_json(suggestions[0].parameters, "suggestion");
    platform_.check_point("new", configuration);
    EXPECT_TRUE(seen.insert(fingerprint(configuration)).second) << configuration;
    const std::string value = std::to_string(configuration["x"].get<int>() % 5);
    EXPECT_EQ(platform_.add_metric("new", "r", {id, "", MetricKind::kFinal, 0, value, ""}).counted, 1);
  }
}

INSTANTIATE_TEST_SUITE_P(All, EveryPolicy, ::testing::ValuesIn(policy_names()),
                         [](const auto& policy) { return policy.param; });

}  // namespace
}  // namespace hyperfd
