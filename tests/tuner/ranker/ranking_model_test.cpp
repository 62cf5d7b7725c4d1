#include "tuner/ranker/ranking_model.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>

#include <gmock/gmock.h>
#include <torch/torch.h>

#include "tuner/base/error.h"
#include "tuner/base/rng.h"

namespace hyperfd {
namespace {

constexpr std::size_t kSize = 3;

std::vector<EncodedConfiguration> random_encodings(std::size_t n, Rng& rng) {
  std::vector<EncodedConfiguration> encodings(n, std::vector<float>(kSize));
  for (auto& encoding : encodings) {
    for (float& x : encoding.flat) x = static_cast<float>(rng.uniform());
  }
  return encodings;
}

// Best where the first number is `best`; the others do not matter.
TaskExperience make_task(const std::string& name, double best, std::size_t results, Rng& rng) {
  TaskExperience task{name, random_encodings(results, rng), {}};
  for (const auto& encoding : task.encodings) task.scores.push_back(0.9 - 0.01 * std::pow(encoding.flat[0] - best, 2));
  return task;
}

std::vector<TaskExperience> make_experience(std::size_t tasks, std::size_t results, Rng& rng) {
  std::vector<TaskExperience> experience;
  for (std::size_t i = 0; i < tasks; ++i) {
    experience.push_back(make_task("task " + std::to_string(i), 0.8, results, rng));
  }
  return experience;
}

// Share of pairs of `truth` that `scores` puts in the same order.
double concordance(const std::vector<float>& scores, const std::vector<double>& truth) {
  int pairs = 0, agreeing = 0;
  for (std::size_t i = 0; i < truth.size(); ++i) {
    for (std::size_t j = 0; j < truth.size(); ++j) {
      if (truth[i] <= truth[j]) continue;
      ++pairs;
      if (scores[i] > scores[j]) ++agreeing;
    }
  }
  return static_cast<double>(agreeing) / pairs;
}

TEST(RankingModel, RanksForANewTaskWhatPastTasksAgreeOn) {
  Rng rng(1);
  RankingModel model(kSize, {}, 1);
  model.update(make_experience(5, 20, rng), 2);
  const TaskExperience unseen = make_task("new", 0.8, 100, rng);
  const std::vector<float> scores = model.score({"new", {}, {}}, unseen.encodings);
  EXPECT_GT(concordance(scores, unseen.scores), 0.8);
  const auto top = std::max_element(scores.begin(), scores.end()) - scores.begin();
  EXPECT_NEAR(unseen.encodings[static_cast<std::size_t>(top)].flat[0], 0.8, 0.2);
}

TEST(RankingModel, FollowsATasksOwnResultsWherePastTasksDisagree) {
  Rng rng(2);
  std::vector<TaskExperience> experience;
  for (int i = 0; i < 8; ++i) {
    experience.push_back(make_task("task " + std::to_string(i), i % 2 == 0 ? 0 : 1, 20, rng));
  }
  RankingModel model(kSize, {}, 3);
  model.update(experience, 4);
  for (const double best : {0.0, 1.0}) {
    const TaskExperience own = make_task("new", best, 6, rng), unseen = make_task("new", best, 100, rng);
    EXPECT_GT(concordance(model.score(own, unseen.encodings), unseen.scores), 0.8) << best;
  }
}

TEST(RankingModel, IsTrainedByTasksThatTellConfigurationsApartOnly) {
  Rng rng(3);
  RankingModel model(kSize, {}, 5);
  const std::string before = model.serialize();
  TaskExperience even = make_task("even", 0, 4, rng);
  even.scores.assign(4, 0.5);
  model.update({}, 6);
  model.update({{"empty", {}, {}}, make_task("one result", 0, 1, rng), even}, 6);
  EXPECT_FALSE(model.trained());
  EXPECT_EQ(model.serialize(), before);
  model.update({even, make_task("useful", 0, 4, rng)}, 6);
  EXPECT_TRUE(model.trained());
}

TEST(RankingModel, StaysAsItIsWhereNoTaskHasAShare) {
  Rng rng(5);
  std::vector<TaskExperience> tasks = make_experience(2, 10, rng);
  for (TaskExperience& task : tasks) task.role = TaskRole::kOffline;
  RankerOptions options;
  options.offline_share = 0;
  RankingModel model(kSize, options, 1);
  const std::string before = model.serialize();
  model.update(tasks, 2);
  EXPECT_EQ(model.serialize(), before);
}

// `columns`: empty for a ranker without effects.
void expect_the_same_for_a_seed(const RankerOptions& options, const EncodingColumns& columns) {
  const auto train = [&](std::uint64_t seed) {
    Rng rng(4);
    RankingModel model(kSize, options, seed);
    model.add_effects(columns);
    model.update(make_experience(6, 10, rng), seed + 1);
    model.update(make_experience(7, 10, rng), seed + 2);
    return model.serialize();
  };
  const std::string once = train(7);
  EXPECT_THAT(once, ::testing::HasSubstr(columns.empty() ? "\"effects\":null" : "\"effects\":{"));
  torch::rand({1});  // moves LibTorch's global generator
  EXPECT_EQ(train(7), once);
  EXPECT_NE(train(8), once);
}

TEST(RankingModel, IsTheSameBitForBitForASeed) {
  expect_the_same_for_a_seed({}, {});
}

TEST(RankingModel, IsTheSameBitForBitForASeedWithEffects) {
  RankerOptions options;
  options.warm_up_iterations = options.iterations_per_update = 20;
  EncodingColumns columns;
  for (std::size_t i = 0; i < kSize; ++i) add_feature(columns, 1, -1);
  expect_the_same_for_a_seed(options, columns);
}

TEST(RankingModel, LeavesTheProcesssThreadCountAlone) {
  Rng rng(5);
  const int before = at::get_num_threads();
  at::set_num_threads(3);
  RankingModel model(kSize, {}, 8);
  model.update(make_experience(2, 5, rng), 9);
  EXPECT_EQ(at::get_num_threads(), 3);
  at::set_num_threads(before);
}

TEST(RankingModel, ScoresWithManyOwnResultsByTheBestAndTheLatest) {
  Rng rng(6);
  RankerOptions options;
  options.fit_results = 4;
  RankingModel model(kSize, options, 10);
  model.update(make_experience(3, 10, rng), 11);
  const auto candidates = random_encodings(10, rng);
  TaskExperience own{"new", random_encodings(7, rng), {0.1, 0.9, 0.2, 0.8, 0.3, 0.5, 0.4}};
  const std::vector<float> scores = model.score(own, candidates);

  TaskExperience kept{"new", {}, {}};
  for (const std::size_t i : {1u, 3u, 5u, 6u}) {
    kept.encodings.push_back(own.encodings[i]);
    kept.scores.push_back(own.scores[i]);
  }
  EXPECT_EQ(model.score(kept, candidates), scores);
}

TEST(RankingModel, CutsNumbersFarFromThoseItKnows) {
  Rng rng(23);
  RankingModel model(kSize, {}, 24);
  auto experience = make_experience(4, 10, rng);
  for (std::size_t i = 0; i < experience.size(); ++i) experience[i].statistics = {i % 2 == 0 ? 1.0 : 3.0};
  model.update(experience, 25);
  const auto candidates = random_encodings(10, rng);
  const auto scores = [&](double number) {
    TaskExperience own{"new", {}, {}};
    own.statistics = {number};
    return model.score(own, candidates);
  };
  EXPECT_NE(scores(1), scores(3));
  EXPECT_EQ(scores(4), scores(1e6));  // mean 2, deviation 1
  EXPECT_NE(scores(3), scores(4));
}

TEST(MostTelling, AreTheBestAndTheLatest) {
  using ::testing::ElementsAre;
  EXPECT_THAT(most_telling({5, 1, 4, 2, 3}, 9), ElementsAre(0, 1, 2, 3, 4));
  EXPECT_THAT(most_telling({1, 5, 5, 2, 3}, 3), ElementsAre(1, 2, 4));
  EXPECT_THAT(most_telling({1, 5, 5, 2, 3}, 4), ElementsAre(1, 2, 3, 4));
  EXPECT_TRUE(most_telling({}, 4).empty());
}

TEST(RankingModel, ReadsBackWhatItWrote) {
  Rng rng(7);
  RankingModel model(kSize, {}, 12);
  model.update(make_experience(3, 10, rng), 13);
  RankingModel copy = RankingModel::deserialize(model.serialize());
  EXPECT_TRUE(copy.trained());
  EXPECT_EQ(copy.serialize(), model.serialize());
  const TaskExperience own = make_task("new", 0.3, 4, rng);
  const auto candidates = random_encodings(20, rng);
  EXPECT_EQ(copy.score(own, candidates), model.score(own, candidates));
  const auto more = make_experience(5, 10, rng);
  model.update(more, 14);
  copy.update(more, 14);
  EXPECT_EQ(copy.serialize(), model.serialize());
}

TEST(RankingModel, RefusesBadExperienceAndStaysAsItWas) {
  Rng rng(8);
  RankingModel model(kSize, {}, 15);
  model.update(make_experience(2, 5, rng), 16);
  const std::string before = model.serialize();
  const TaskExperience good = make_task("good", 0.5, 3, rng);
  TaskExperience short_row = good, few_scores = good, not_a_number = good, infinite_score = good;
  short_row.encodings[1].flat.pop_back();
  few_scores.scores.pop_back();
  not_a_number.encodings[2].flat[0] = std::numeric_limits<float>::quiet_NaN();
  infinite_score.scores[0] = -std::numeric_limits<double>::infinity();
  for (const TaskExperience& bad : {short_row, few_scores, not_a_number, infinite_score}) {
    EXPECT_THROW(model.update({good, bad}, 17), InputError);
    EXPECT_THROW(model.score(bad, good.encodings), InputError);
  }
  EXPECT_THROW(model.score(good, short_row.encodings), InputError);
  EXPECT_EQ(model.serialize(), before);
}

TEST(RankingModel, RanksByGraphs) {
  Rng rng(9);
  const auto make = [&](const std::string& name, std::size_t results) {
    TaskExperience task{name, {}, {}};
    for (std::size_t i = 0; i < results; ++i) {
      Graph graph{2, {}, {}};
      for (int node = 0; node < 4; ++node) {
        graph.features.insert(graph.features.end(), {1, static_cast<float>(rng.uniform())});
        if (node > 0) graph.edges.emplace_back(node - 1, node);
      }
      task.scores.push_back(static_cast<double>(graph.features[1] + graph.features[3] + graph.features[5]));
      task.encodings.push_back({{}, std::make_shared<const Graph>(graph)});
    }
    return task;
  };
  RankingModel model(EncodingShape(0, 2), {}, 19);
  model.update({make("a", 30), make("b", 30), make("c", 30)}, 20);
  const TaskExperience unseen = make("new", 100);
  EXPECT_GT(concordance(model.score({"new", {}, {}}, unseen.encodings), unseen.scores), 0.7);
  EXPECT_EQ(RankingModel::deserialize(model.serialize()).serialize(), model.serialize());
  TaskExperience no_graph = unseen, bad_edge = unseen;
  no_graph.encodings[0].graph = nullptr;
  Graph broken = *unseen.encodings[0].graph;
  broken.edges.emplace_back(0, 4);
  bad_edge.encodings[0].graph = std::make_shared<const Graph>(broken);
  EXPECT_THROW(model.update({no_graph}, 21), InputError);
  EXPECT_THROW(model.update({bad_edge}, 21), InputError);
}

TEST(RankingModel, ScoresRowsAsItScoresConfigurations) {
  Rng rng(10);
  RankingModel model(kSize, {}, 22);
  model.update(make_experience(2, 10, rng), 23);
  const auto candidates = random_encodings(50, rng);
  std::vector<float> rows;
  for (const auto& candidate : candidates) rows.insert(rows.end(), candidate.flat.begin(), candidate.flat.end());
  EXPECT_EQ(model.score_flat({"new", {}, {}}, rows.data(), 50), model.score({"new", {}, {}}, candidates));
}

TEST(RankingModel, ScoresNoCandidates) {
  const RankingModel model(kSize, {}, 18);
  EXPECT_TRUE(model.score({"new", {}, {}}, {}).empty());
}

}  // namespace
}  // namespace hyperfd
