#include <algorithm>
#include <cmath>
#include <memory>

#include <gmock/gmock.h>
#include <torch/torch.h>

#include "tests/message_of.h"
#include "tuner/ranker/learner.h"
#include "tuner/ranker/local_dataset_client.h"
#include "tuner/ranker/ranking_model.h"
#include "tuner/ranker/ranking_model_bytes.h"
#include "tuner/ranker/synaptic_intelligence.h"
#include "tuner/ranker/tensors.h"
#include "tuner/ranker/transformation.h"

namespace hyperfd {
namespace {

// ---- Transformation ----

TEST(Transformation, ClosedFormReachesALossThatSgdDoesNotBeat) {
  Rng rng(1);
  const torch::Tensor old_features = uniform_tensor({100, 16}, 1, rng);
  const torch::Tensor new_features =
      torch::tanh(torch::mm(old_features, uniform_tensor({16, 16}, 0.5, rng)) + uniform_tensor({100, 16}, 0.1, rng));
  const double identity = transformation_loss(torch::eye(16), old_features, new_features);
  const double closed_form =
      transformation_loss(ClosedFormTransformation(old_features).fit(new_features), old_features, new_features);
  SgdTransformation sgd(torch::eye(16), 1e-3);
  double previous = identity;
  for (int i = 0; i < 5; ++i) {
    const double loss = transformation_loss(sgd.fit(old_features, new_features, 200), old_features, new_features);
    EXPECT_LT(loss, previous);
    EXPECT_LE(closed_form, loss);
    previous = loss;
  }
}

TEST(Transformation, ClosedFormStaysNearTheIdentityWhereReferencesDecideNothing) {
  const torch::Tensor one = torch::zeros({1, 4}).index_fill(1, torch::tensor({0}), 1);  // only the first unit is seen
  const torch::Tensor z = ClosedFormTransformation(one).fit(2 * one);
  EXPECT_NEAR(z[0][0].item<double>(), 2, 1e-3);
  EXPECT_LT((z.slice(0, 1) - torch::eye(4).slice(0, 1)).abs().max().item<double>(), 1e-3);
}

// ---- Frozen rankers ----

TEST(FrozenRanker, MakesOfNumbersWhatItDidBefore) {
  RankerOptions options;
  options.effects = false;
  options.warm_up_iterations = 30;
  options.iterations_per_update = 0;
  RankingModel model({2, 0}, options, 1);
  const auto task_of = [](const std::string& name, double number) {
    TaskExperience task{name, {}, {}, {number}};
    for (const float x : {0.0f, 0.3f, 0.6f, 1.0f}) {
      task.encodings.emplace_back(std::vector<float>{x, 1 - x});
      task.scores.push_back(number * static_cast<double>(x));
    }
    return task;
  };
  const std::vector<TaskExperience> two = {task_of("a", 1), task_of("b", -1)};
  std::vector<TaskExperience> three = two;
  three.push_back(task_of("c", 100));
  const TaskExperience own{"new", {}, {}, {0.5}};
  model.update(two, 2);
  const std::vector<float> before = model.score(own, two[0].encodings);
  model.update(three, 3);
  EXPECT_EQ(model.score(own, two[0].encodings), before);
}

// ---- Synaptic intelligence ----

// Two linear regressions that share weights: the first task is decided by the first weight alone, the second one could
// be solved by either weight.
double loss_after_second_task(double si_weight) {
  const torch::Tensor first_inputs = torch::tensor({{1.0f, 0.0f}, {-1.0f, 0.0f}});
  const torch::Tensor first_targets = torch::tensor({2.0f, -2.0f});
  const torch::Tensor second_inputs = torch::tensor({{1.0f, 1.0f}, {-1.0f, -1.0f}});
  const torch::Tensor second_targets = torch::tensor({-1.0f, 1.0f});
  torch::Tensor weights = torch::zeros({2}).requires_grad_();
  const auto loss = [&](const torch::Tensor& inputs, const torch::Tensor& targets) {
    return (torch::mv(inputs, weights) - targets).square().mean();
  };
  std::vector<torch::Tensor> importance;
  for (const bool is_first : {true, false}) {
    SynapticIntelligence synaptic({weights.detach()}, importance);
    const auto gradient = [&] {
      weights.mutable_grad() = torch::Tensor();
      (is_first ? loss(first_inputs, first_targets) : loss(second_inputs, second_targets)).backward();
      return weights.grad().clone();
    };
    for (int i = 0; i < 300; ++i) {
      const torch::Tensor unregularised = gradient();
      synaptic.observe({weights.detach()}, {unregularised});
      const torch::NoGradGuard no_grad;
      weights.sub_(0.02 * (unregularised + si_weight * synaptic.penalty_gradient({weights.detach()})[0]));
    }
    synaptic.observe({weights.detach()}, {gradient()});
    importance = synaptic.finish({weights.detach()}, 0.1);
  }
  EXPECT_LT(loss(second_inputs, second_targets).item<double>(), 0.05);
  return loss(first_inputs, first_targets).item<double>();
}

TEST(SynapticIntelligence, KeepsTheFirstTaskWhileTheSecondIsLearned) {
  EXPECT_GT(loss_after_second_task(0), 2);
  EXPECT_LT(loss_after_second_task(10), 0.05);
}

// ---- Updates with data sets that have images ----

constexpr std::int64_t kImageFeatures = 6;

std::vector<EncodedConfiguration> all_encodings() {
  std::vector<EncodedConfiguration> encodings;
  for (int i = 0; i < 12; ++i) encodings.push_back({{static_cast<float>(i) / 11, static_cast<float>(i % 3) / 2}});
  return encodings;
}

// Data sets of two kinds: bright ones want the first number of a configuration high, dark ones low.
struct World {
  Rng rng{7};
  std::vector<std::unique_ptr<LocalDatasetClient>> datasets;

  TaskExperience make(const std::string& name, bool bright, TaskRole role) {
    torch::Tensor images = uniform_tensor({40, kImageFeatures}, 0.5, rng);
    images.select(1, 0).add_(bright ? 1 : -1);
    datasets.push_back(std::make_unique<LocalDatasetClient>(images, torch::tensor({bright ? 1.0f : 2.0f}), 8));
    TaskExperience task{name, all_encodings(), {}};
    for (const auto& row : task.encodings) task.scores.push_back((bright ? 1 : -1) * row.flat[0] + 0.05 * rng.normal());
    task.dataset = datasets.back().get();
    task.role = role;
    return task;
  }

  std::vector<TaskExperience> make_offline(int count) {
    std::vector<TaskExperience> tasks;
    for (int i = 0; i < count; ++i)
      tasks.push_back(make("offline " + std::to_string(i), i % 2 == 0, TaskRole::kOffline));
    return tasks;
  }
};

RankerOptions small_options(const std::map<std::string, std::string>& changes = {}) {
  RankerOptions options;
  options.hidden_units = 16;
  options.learning_rate = 1e-2;
  options.iterations_per_update = 30;
  options.warm_up_iterations = 0;
  return parse_ranker_options(changes, options);
}

RankingModel make_model(const RankerOptions& options = small_options()) {
  RankingModel model(2, options, 1);
  model.add_extractor({"hash", kImageFeatures, 1}, {}, 2);
  return model;
}

RankingModelState state_of(const RankingModel& model) {
  return ranking_model_from_bytes(model.serialize(), {});
}

bool prefers_high(const RankingModel& model, const TaskExperience& own) {
  const std::vector<float> scores = model.score(own, all_encodings());
  return scores.back() > scores.front();
}

TEST(Update, LearnsFromImagesWhatADatasetWants) {
  World world;
  RankingModel model = make_model();
  model.update(world.make_offline(8), 3);
  for (const bool bright : {true, false}) {
    TaskExperience unseen = world.make("new", bright, TaskRole::kCurrent);
    const TaskExperience question{"new", {}, {}, {}, unseen.dataset->forward(model.extractor_weights(), 4).feature};
    EXPECT_EQ(prefers_high(model, question), bright);
  }
}

TEST(Update, LearnsFromNumbersWhatADatasetWants) {
  World world;
  std::vector<TaskExperience> tasks = world.make_offline(8);
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    tasks[i].dataset = nullptr;
    tasks[i].role = TaskRole::kPast;
    tasks[i].statistics = {1000.0 + (i % 2 == 0 ? 5 : -5), 3};
  }
  RankingModel model(2, small_options(), 1);
  model.update(tasks, 3);
  EXPECT_TRUE(prefers_high(model, {"new", {}, {}, {1005, 3}}));
  EXPECT_FALSE(prefers_high(model, {"new", {}, {}, {995, 3}}));
  const std::vector<EncodedConfiguration> rows = all_encodings();
  EXPECT_EQ(model.score({"new", {}, {}, {1, 2, 3}}, rows), model.score({"new", {}, {}}, rows));  // other numbers
}

TEST(Update, KeepsTheMetaFeatureOfATaskThatIsOver) {
  World world;
  RankingModel model = make_model();
  std::vector<TaskExperience> tasks = world.make_offline(8);
  model.update(tasks, 3);
  tasks.push_back(world.make("client", true, TaskRole::kCurrent));
  model.update(tasks, 4);
  const auto before = state_of(model);
  ASSERT_TRUE(before.ranker.seen.count("client"));
  EXPECT_EQ(before.ranker.seen.at("client").version, before.ranker.version);

  tasks.back().dataset = nullptr;
  tasks.back().role = TaskRole::kPast;
  tasks.push_back(world.make("another", false, TaskRole::kCurrent));
  model.update(tasks, 5);
  const auto after = state_of(model);
  EXPECT_TRUE(after.ranker.seen.at("client").feature.equal(before.ranker.seen.at("client").feature));
  EXPECT_EQ(after.ranker.seen.at("client").version, before.ranker.version);
  EXPECT_GT(after.ranker.version, before.ranker.version);
  EXPECT_FALSE(after.ranker.versions.at(before.ranker.version).z.equal(torch::eye(16)));
  EXPECT_TRUE(after.ranker.versions.at(after.ranker.version).z.equal(torch::eye(16)));
  EXPECT_TRUE(prefers_high(model, {"client", {}, {}}));
  EXPECT_FALSE(prefers_high(model, {"another", {}, {}}));
}

// |Z φ_old − φ_today| over the meta-features of one data set, after the extractor moved.
double transformed_distance(const std::string& z) {
  World world;
  RankingModel model = make_model(small_options({{"z", z}, {"z_rate", "0.001"}}));
  std::vector<TaskExperience> tasks = world.make_offline(40);
  TaskExperience client = world.make("client", true, TaskRole::kCurrent);
  tasks.push_back(client);
  model.update(tasks, 4);
  const std::vector<float> old_feature = client.dataset->forward(model.extractor_weights(), 6).feature;
  const std::int64_t old_version = state_of(model).ranker.version;
  tasks.back().dataset = nullptr;
  tasks.back().role = TaskRole::kPast;
  model.update(tasks, 5);
  const torch::Tensor today = torch::tensor(client.dataset->forward(model.extractor_weights(), 6).feature);
  const auto state = state_of(model);
  return (torch::mv(state.ranker.versions.at(old_version).z, torch::tensor(old_feature)) - today).norm().item<double>();
}

TEST(Update, TransformsOldMetaFeaturesTowardsTodays) {
  const double none = transformed_distance("none"), closed_form = transformed_distance("closed_form");
  EXPECT_LT(closed_form, none / 2);
  EXPECT_LT(transformed_distance("sgd"), none);
}

// A data set whose calls are counted, and which goes away when told to.
class WatchedDataset : public DatasetClient {
 public:
  explicit WatchedDataset(DatasetClient& dataset) : dataset_(dataset) {}
  MetaFeaturePair forward(const std::vector<float>& weights, std::uint64_t seed) override {
    if (++forwards > last_answer) throw DatasetUnreachable("gone");
    return dataset_.forward(weights, seed);
  }
  std::vector<float> backward(const MetaFeaturePair& gradient) override {
    if (++backwards > last_gradient) throw DatasetUnreachable("gone");
    return dataset_.backward(gradient);
  }
  int forwards = 0, backwards = 0;
  int last_answer = 1 << 30, last_gradient = 1 << 30;

 private:
  DatasetClient& dataset_;
};

TEST(Update, SendsNoGradientToPastTasks) {  // Eq. 5
  World world;
  for (const std::string z : {"closed_form", "oracle"}) {
    RankingModel model = make_model(small_options({{"z", z}}));
    std::vector<TaskExperience> tasks = world.make_offline(2);
    tasks.push_back(world.make("past", true, TaskRole::kPast));
    WatchedDataset past(*tasks.back().dataset), offline(*tasks[0].dataset);
    tasks.back().dataset = &past;
    tasks[0].dataset = &offline;
    model.update(tasks, 3);
    EXPECT_EQ(past.backwards, 0) << z;
    EXPECT_EQ(past.forwards > 0, z == "oracle") << z;
    EXPECT_GT(offline.backwards, 0) << z;
  }
}

TEST(Update, MovesOnlyTheEncoderByPastExperience) {  // Eq. 5
  World world;
  RankingModel model = make_model();
  std::vector<TaskExperience> tasks = world.make_offline(2);
  model.update(tasks, 3);
  const std::vector<float> before = model.extractor_weights();
  const std::string bytes = model.serialize();
  for (TaskExperience& task : tasks) {
    task.dataset = nullptr;
    task.role = TaskRole::kPast;
  }
  model.update(tasks, 4);
  EXPECT_EQ(model.extractor_weights(), before);
  EXPECT_NE(model.serialize(), bytes);
}

TEST(Update, LeavesAFrozenExtractorAsItIs) {
  World world;
  RankingModel model = make_model(small_options({{"extractor", "frozen"}}));
  const std::vector<float> before = model.extractor_weights();
  std::vector<TaskExperience> tasks = world.make_offline(2);
  tasks.push_back(world.make("client", true, TaskRole::kCurrent));
  model.update(tasks, 3);
  EXPECT_EQ(model.extractor_weights(), before);
  EXPECT_TRUE(state_of(model).ranker.seen.count("client"));
}

// How far φ of some images is from the mean of their single φ's.
double distance_from_mean(const RankingModelState& state, const torch::Tensor& images) {
  const MetaFeatureExtractor& extractor = *state.ranker.extractor;
  const torch::Tensor statistics = torch::ones({1});
  torch::Tensor mean = torch::zeros({extractor.units()});
  for (std::int64_t i = 0; i < images.size(0); ++i) {
    mean += extractor.forward(images.slice(0, i, i + 1), statistics) / images.size(0);
  }
  return (extractor.forward(images, statistics) - mean).abs().max().item<double>();
}

TEST(Update, LearnsWithoutAttentionWhenToldTo) {  // Table 5
  World world;
  const std::vector<TaskExperience> tasks = world.make_offline(4);
  RankingModel with = make_model(), without = make_model(small_options({{"attention", "off"}}));
  const std::vector<float> before = without.extractor_weights();
  with.update(tasks, 1);
  without.update(tasks, 1);
  Rng rng(5);
  const torch::Tensor images = uniform_tensor({9, kImageFeatures}, 2, rng);
  EXPECT_LT(distance_from_mean(state_of(without), images), 1e-5);
  EXPECT_GT(distance_from_mean(state_of(with), images), 1e-3);
  EXPECT_NE(without.extractor_weights(), before);
}

TEST(LocalDatasetClient, GivesTheSameFeatureWithAndWithoutAGraph) {
  World world;
  const TaskExperience task = world.make("a", true, TaskRole::kCurrent);
  const std::vector<float> weights = make_model().extractor_weights();
  const MetaFeaturePair pair = task.dataset->forward(weights, 3);
  const std::vector<float> expected = task.dataset->backward(pair);
  // Two samples at once and one are multiplied in another order on some processors.
  EXPECT_THAT(task.dataset->feature(weights, 3), ::testing::Pointwise(::testing::FloatNear(1e-6f), pair.feature));
  task.dataset->forward(weights, 3);
  task.dataset->feature(weights, 4);  // in between
  EXPECT_EQ(task.dataset->backward(pair), expected);
}

TEST(LocalDatasetClient, SeveralAtOnceGiveWhatEachGives) {
  Rng rng(3);
  std::vector<std::unique_ptr<LocalDatasetClient>> owners;
  std::vector<LocalDatasetClient*> datasets;
  for (const std::int64_t images : {40, 5, 41, 1, 6}) {  // samples of 8, 2, 8, 1 and 3
    owners.push_back(std::make_unique<LocalDatasetClient>(uniform_tensor({images, kImageFeatures}, 1, rng),
                                                          uniform_tensor({1}, 1, rng), 8));
    datasets.push_back(owners.back().get());
  }
  const std::vector<std::uint64_t> seeds = {5, 6, 7, 8, 9};
  const MetaFeatureExtractor extractor(kImageFeatures, 1, 16, rng);
  const torch::Tensor pairs = LocalDatasetClient::pairs_of(extractor, datasets, seeds);
  const torch::Tensor features = LocalDatasetClient::features_of(extractor, datasets, seeds);
  for (std::size_t i = 0; i < datasets.size(); ++i) {
    const auto at = static_cast<std::int64_t>(i);
    const MetaFeaturePair own = datasets[i]->forward(extractor.flat(), seeds[i]);
    EXPECT_LT((pairs[at][0] - torch::tensor(own.feature)).abs().max().item<float>(), 1e-5) << i;
    EXPECT_LT((pairs[at][1] - torch::tensor(own.twin)).abs().max().item<float>(), 1e-5) << i;
    EXPECT_LT((features[at] - torch::tensor(own.feature)).abs().max().item<float>(), 1e-5) << i;
  }
}

// The same arithmetic, apart from rounding, whether a data set takes part in the graph or answers from elsewhere.
TEST(Update, LearnsTheSameFromDatasetsElsewhere) {
  std::vector<float> learned[2];
  for (const bool elsewhere : {false, true}) {
    World world;
    std::vector<TaskExperience> tasks = world.make_offline(4);
    std::vector<std::unique_ptr<WatchedDataset>> clients;
    for (TaskExperience& task : tasks) {
      clients.push_back(std::make_unique<WatchedDataset>(*task.dataset));
      if (elsewhere) task.dataset = clients.back().get();
    }
    RankingModel model = make_model(small_options({{"iterations", "5"}}));
    model.update(tasks, 1);
    learned[elsewhere] = model.extractor_weights();
    EXPECT_EQ(clients[0]->backwards > 0, elsewhere);
  }
  ASSERT_EQ(learned[0].size(), learned[1].size());
  double difference = 0;
  for (std::size_t i = 0; i < learned[0].size(); ++i) difference += std::abs(learned[0][i] - learned[1][i]);
  EXPECT_LT(difference / static_cast<double>(learned[0].size()), 1e-4);
}

TEST(Update, GoesOnWithoutADatasetThatVanishes) {
  World world;
  for (const auto& [answers, gradients] : {std::pair<int, int>{0, 0}, {3, 1 << 30}, {1 << 30, 2}}) {
    RankingModel model = make_model();
    std::vector<TaskExperience> tasks = world.make_offline(2);
    tasks.push_back(world.make("client", true, TaskRole::kCurrent));
    WatchedDataset client(*tasks.back().dataset);
    client.last_answer = answers;
    client.last_gradient = gradients;
    tasks.back().dataset = &client;
    model.update(tasks, 3);
    EXPECT_TRUE(model.trained());
    EXPECT_LE(client.forwards, answers + 1);  // it is not asked again
    EXPECT_FALSE(state_of(model).ranker.seen.count("client"));
  }
}

TEST(Update, FallsBackToTheMetaFeatureThatADatasetSentBefore) {
  World world;
  RankingModel model = make_model();
  std::vector<TaskExperience> tasks = world.make_offline(8);
  model.update(tasks, 3);
  tasks.push_back(world.make("client", true, TaskRole::kCurrent));
  WatchedDataset client(*tasks.back().dataset);
  tasks.back().feature = client.forward(model.extractor_weights(), 9).feature;
  tasks.back().dataset = &client;
  client.last_answer = 2;
  const std::int64_t version = state_of(model).ranker.version;
  model.update(tasks, 4);
  const auto after = state_of(model);
  ASSERT_TRUE(after.ranker.seen.count("client"));
  EXPECT_EQ(after.ranker.seen.at("client").version, version);
  EXPECT_TRUE(after.ranker.seen.at("client").feature.equal(torch::tensor(tasks.back().feature)));
  EXPECT_FALSE(after.ranker.versions.at(version).z.equal(torch::eye(16))) << "it goes through Z from now on";
}

TEST(Update, IsAllOrNothing) {
  class Failing : public DatasetClient {
    MetaFeaturePair forward(const std::vector<float>&, std::uint64_t) override { throw Error("out of memory"); }
    std::vector<float> backward(const MetaFeaturePair&) override { return {}; }
  } failing;
  EncodingColumns two_numbers;
  for (int i = 0; i < 2; ++i) add_feature(two_numbers, 1, -1);
  for (const EncodingColumns& columns : {EncodingColumns(), two_numbers}) {  // without effects and with them
    World world;
    RankingModel model = make_model();
    model.add_effects(columns);
    std::vector<TaskExperience> tasks = world.make_offline(4);
    model.update(tasks, 3);
    const std::string before = model.serialize();
    const std::uint64_t identity = model.identity();
    tasks[2].dataset = &failing;
    EXPECT_THROW(model.update(tasks, 4), Error);
    EXPECT_EQ(model.serialize(), before);
    EXPECT_EQ(model.identity(), identity);
    EXPECT_EQ(state_of(model).ranker.effects.has_value(), !columns.empty());
  }
}

TEST(Update, IsTheSameBitForBitForASeed) {
  const auto train = [](std::uint64_t seed) {
    World world;
    RankingModel model = make_model();
    std::vector<TaskExperience> tasks = world.make_offline(3);
    tasks.push_back(world.make("client", true, TaskRole::kCurrent));
    model.update(tasks, seed);
    tasks.back().dataset = nullptr;
    tasks.back().role = TaskRole::kPast;
    model.update(tasks, seed + 1);
    return model.serialize();
  };
  EXPECT_EQ(train(5), train(5));
  EXPECT_NE(train(5), train(6));
}

TEST(Update, NeedsAnExtractorForImages) {
  World world;
  RankingModel model(2, small_options(), 1);
  EXPECT_EQ(message_of([&] { model.update(world.make_offline(1), 2); }),
            "task offline 0: has images, the ranker no extractor");
}

TEST(Update, ReadsBackExtractorAndTransformations) {
  World world;
  RankingModel model = make_model();
  std::vector<TaskExperience> tasks = world.make_offline(4);
  tasks.push_back(world.make("client", true, TaskRole::kCurrent));
  model.update(tasks, 3);
  RankingModel copy = RankingModel::deserialize(model.serialize(), small_options());
  EXPECT_EQ(copy.serialize(), model.serialize());
  EXPECT_EQ(copy.extractor_weights(), model.extractor_weights());
  model.update(tasks, 4);
  copy.update(tasks, 4);
  EXPECT_EQ(copy.serialize(), model.serialize());
}

}  // namespace
}  // namespace hyperfd
