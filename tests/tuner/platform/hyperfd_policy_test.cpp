#include <algorithm>
#include <set>
#include <string>
#include <unordered_set>
#include <vector>

#include <gtest/gtest.h>

#include "tests/message_of.h"
#include "tuner/platform/candidates.h"
#include "tuner/platform/configuration_encoding.h"
#include "tuner/platform/selection_policy.h"

namespace hyperfd {
namespace {

SearchSpace hpo_space() {
  return SearchSpace::load(HYPERFD_SOURCE_DIR "/search_spaces/hpo.yaml");
}

RankingModel make_model(const SearchSpace& space, int tasks = 1, std::uint64_t seed = 1) {
  RankerOptions options;
  options.warm_up_iterations = 20;
  RankingModel model(space.encoding_size(), options, seed);
  std::vector<TaskExperience> experience;
  Rng rng(seed + 1);
  for (int t = 0; t < tasks; ++t) {
    TaskExperience task{"task " + std::to_string(t), {}, {}};
    for (int i = 0; i < 20; ++i) {
      task.encodings.push_back(space.encode(space.sample(rng)));
      task.scores.push_back(rng.uniform());
    }
    experience.push_back(std::move(task));
  }
  model.update(experience, seed + 2);
  return model;
}

// Place of a configuration in the ranking of those not in `taken`, from 0.
std::size_t place(const SearchSpace& space, const RankingModel& model, const ConfigurationKeys& taken,
                  const Configuration& configuration) {
  const auto score = [&](const Configuration& c) { return model.score({}, {space.encode(c)})[0]; };
  std::size_t better = 0;
  for (std::uint64_t i = 0; i < *space.size(); ++i) {
    const Configuration other = space.at(i);
    if (!taken.contains(configuration_key(other)) && score(other) > score(configuration)) ++better;
  }
  return better;
}

TEST(HyperFdPolicy, GivesTheTopOfTheRankingFirst) {
  const SearchSpace space = hpo_space();
  const RankingModel model = make_model(space);
  for (const std::string name : {"hyperfd", "hyperfd:explore=never", "paper"}) {
    Rng rng(3);
    const auto first = make_policy(name)->suggest({space, {}, {}, &model}, 1, rng);
    ASSERT_EQ(first.size(), 1u);
    EXPECT_EQ(place(space, model, {}, first[0]), 0u) << name;
  }
}

TEST(HyperFdPolicy, GivesTheTopOfEachRankerThatItIsAskedWith) {
  const SearchSpace space = hpo_space();
  std::vector<RankingModel> models;
  for (const std::uint64_t seed : {1u, 11u, 21u}) models.push_back(make_model(space, 2, seed));
  const auto policy = make_policy("hyperfd");
  std::set<Configuration> tops;
  for (const std::size_t i : {0u, 1u, 2u, 0u}) {
    Rng rng(15);
    const Configuration top = policy->suggest({space, {}, {}, &models[i]}, 1, rng).at(0);
    EXPECT_EQ(place(space, models[i], {}, top), 0u) << "ranker " << i;
    tops.insert(top);
  }
  EXPECT_GT(tops.size(), 1u) << "rankers that agree show nothing";
}

TEST(HyperFdPolicy, GivesTheTopOfTheRankingForHalfOfThePapersBudget) {
  const SearchSpace space = hpo_space();
  const RankingModel model = make_model(space);
  const auto policy = make_policy("paper");
  std::size_t random_ones_at_the_top = 0;
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    Rng rng(seed);
    ConfigurationKeys taken;
    const auto suggestions = policy->suggest({space, {}, taken, &model}, 4, rng);
    ASSERT_EQ(suggestions.size(), 4u);
    for (std::size_t k = 0; k < 4; ++k) {
      const std::size_t at = place(space, model, taken, suggestions[k]);
      if (k % 2 == 0)
        EXPECT_EQ(at, 0u) << "suggestion " << k;
      else if (at == 0)
        ++random_ones_at_the_top;
      EXPECT_TRUE(taken.insert(configuration_key(suggestions[k])));
    }
  }
  EXPECT_LE(random_ones_at_the_top, 2u);
}

TEST(HyperFdPolicy, MakesNoDifferenceBetweenOneByOneAndAtOnce) {
  const SearchSpace space = hpo_space();
  const RankingModel model = make_model(space);
  std::vector<ScoredConfiguration> results;
  for (std::uint64_t i = 0; i < 8; ++i) results.push_back({space.at(20 * i), static_cast<double>(i * i % 5)});
  for (const std::string name : {"hyperfd", "hyperfd:explore=random_half", "hyperfd:uncertainty=ensemble",
                                 "hyperfd:uncertainty=dropout", "paper"}) {
    const auto policy = make_policy(name);
    Rng at_once(5), one_by_one(5);
    ConfigurationKeys taken;
    for (const auto& result : results) taken.insert(configuration_key(result.configuration));
    std::vector<Configuration> pending;
    for (const Configuration& expected : policy->suggest({space, results, taken, &model}, 6, at_once)) {
      const TaskView view{
          space,  results, taken, &model, PastExperience::none(), TaskView::no_statistics(), Annotation::none(),
          pending};
      const auto next = policy->suggest(view, 1, one_by_one);
      ASSERT_EQ(next.size(), 1u);
      EXPECT_EQ(next[0], expected) << name;
      taken.insert(configuration_key(next[0]));
      pending.push_back(next[0]);
    }
  }
}

TEST(HyperFdPolicy, DoesNotCountATasksResultsTwice) {
  const SearchSpace space = hpo_space();
  const RankingModel of_one = make_model(space), of_two = make_model(space, 2);
  const auto suggestions = [&](const RankingModel* model, const std::string& name) {
    Rng rng(5);
    return make_policy("hyperfd")->suggest({space,
                                            {},
                                            {},
                                            model,
                                            PastExperience::none(),
                                            TaskView::no_statistics(),
                                            Annotation::none(),
                                            TaskView::no_configurations(),
                                            name},
                                           3, rng);
  };
  EXPECT_EQ(suggestions(&of_one, "task 0"), suggestions(nullptr, "task 0")) << "has learned from this task alone";
  EXPECT_NE(suggestions(&of_one, "another"), suggestions(nullptr, "another"));
  EXPECT_NE(suggestions(&of_two, "task 0"), suggestions(nullptr, "task 0"));
  EXPECT_EQ(of_two.tasks_beside("task 0"), 1u);
  EXPECT_EQ(of_two.tasks_beside("another"), 2u);
}

TEST(HyperFdPolicy, SpreadsWhatIsAskedForAtOnce) {
  const auto space = SearchSpace::parse(parse_json(R"({"x": {"_type": "uniform", "_value": [0, 1]}})", "space"));
  std::vector<ScoredConfiguration> results;
  ConfigurationKeys taken;
  for (const double x : {0.0, 0.1, 0.3, 0.7, 0.9, 1.0}) {
    results.push_back({Configuration{{"x", x}}, -(x - 0.5) * (x - 0.5)});
    taken.insert(configuration_key(results.back().configuration));
  }
  Rng rng(6);
  std::vector<double> asked;
  for (const auto& configuration : make_policy("hyperfd")->suggest({space, results, taken, nullptr}, 3, rng)) {
    asked.push_back(configuration["x"].get<double>());
  }
  ASSERT_EQ(asked.size(), 3u);
  EXPECT_NEAR(asked[0], 0.5, 0.15);
  std::sort(asked.begin(), asked.end());
  EXPECT_GT(asked[1] - asked[0], 0.01);
  EXPECT_GT(asked[2] - asked[1], 0.01);
}

TEST(HyperFdPolicy, KeepsToThePartOfASpaceThatItIsAskedFor) {
  const SearchSpace space = hpo_space();
  const RankingModel model = make_model(space);
  const auto policy = make_policy("hyperfd");
  Rng rng(13);
  for (const std::uint64_t index : {3u, 77u}) {
    const SearchSpace part = space.only({space.at(index)});
    EXPECT_EQ(policy->suggest({part, {}, {}, &model}, 1, rng).at(0), space.at(index));
  }
}

TEST(HyperFdPolicy, DrawsEveryFifthSuggestionOfANestedSpace) {
  const auto count_of_other = [](const char* text, const Configuration& good, const Configuration& bad) {
    const SearchSpace space = SearchSpace::parse(parse_json(text, "space"));
    std::vector<ScoredConfiguration> results;
    for (int i = 0; i < 9; ++i) {
      Configuration configuration = i % 2 ? good : bad;
      configuration["x"] = 0.1 * i;
      results.push_back({configuration, i % 2 ? 1.0 : 0.0});
    }
    ConfigurationKeys taken;
    for (const auto& result : results) taken.insert(configuration_key(result.configuration));
    int others = 0;
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
      Rng rng(seed);
      const Configuration next = make_policy("hyperfd")->suggest({space, results, taken, nullptr}, 1, rng).at(0);
      others += next["model"] != good["model"];
    }
    return others;
  };
  const Configuration nested_good = {{"model", {{"_name", "a"}}}}, nested_bad = {{"model", {{"_name", "b"}, {"n", 1}}}};
  EXPECT_GE(count_of_other(R"({"x": {"_type": "uniform", "_value": [0, 1]}, "model": {"_type": "choice", "_value": [
                                {"_name": "a"}, {"_name": "b", "n": {"_type": "choice", "_value": [1, 2]}}]}})",
                           nested_good, nested_bad),
            4);
  EXPECT_EQ(count_of_other(R"({"x": {"_type": "uniform", "_value": [0, 1]},
                               "model": {"_type": "choice", "_value": ["a", "b"]}})",
                           {{"model", "a"}}, {{"model", "b"}}),
            0);
}

TEST(HyperFdPolicy, DrawsTheSecondSuggestionAfterOnePastTask) {
  const SearchSpace space = hpo_space();
  const RankingModel model = make_model(space);
  Rng first(1), second(2);
  const ConfigurationKeys taken = {configuration_key(space.at(0))};
  const std::vector<ScoredConfiguration> results = {{space.at(0), 1}};
  const auto policy = make_policy("hyperfd");
  EXPECT_NE(policy->suggest({space, results, taken, &model}, 1, first),
            policy->suggest({space, results, taken, &model}, 1, second));
}

TEST(HyperFdPolicy, FollowsTheRankingOfSeveralTasksForTwoSuggestions) {
  const SearchSpace space = hpo_space();
  const RankingModel model = make_model(space, 2);
  const auto policy = make_policy("hyperfd");
  Rng rng(14);
  std::vector<ScoredConfiguration> results;
  ConfigurationKeys taken;
  for (int i = 0; i < 2; ++i) {
    const Configuration next = policy->suggest({space, results, taken, &model}, 1, rng).at(0);
    EXPECT_EQ(place(space, model, taken, next), 0u) << "suggestion " << i;
    taken.insert(configuration_key(next));
    results.push_back({next, static_cast<double>(i)});
  }
  // From then on results count.
  for (std::uint64_t i = 1; i < 8; ++i) {
    results.push_back({space.at(27 * i), static_cast<double>(i)});
    taken.insert(configuration_key(results.back().configuration));
  }
  std::vector<ScoredConfiguration> opposite = results;
  for (ScoredConfiguration& result : opposite) result.score = -result.score;
  EXPECT_NE(policy->suggest({space, results, taken, &model}, 1, rng),
            policy->suggest({space, opposite, taken, &model}, 1, rng));
}

// At which of six suggestions, from 0, `hyperfd` first leaves what is expected best; over several tasks, the earliest.
std::size_t first_exploration(int past_tasks) {
  const SearchSpace space = hpo_space();
  const RankingModel model = make_model(space, past_tasks);
  std::size_t first = 6;
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    Rng rng(seed);
    std::vector<ScoredConfiguration> results;
    ConfigurationKeys taken;
    for (std::size_t i = 0; i < first; ++i) {
      const TaskView view{space, results, taken, &model};
      const auto next = make_policy("hyperfd")->suggest(view, 1, rng);
      if (next != make_policy("hyperfd:explore=never")->suggest(view, 1, rng)) first = i;
      results.push_back({next.at(0), rng.uniform()});
      taken.insert(configuration_key(next.at(0)));
    }
  }
  return first;
}

TEST(HyperFdPolicy, ExploresAfterFourSuggestionsWhereManyTasksAreKnown) {
  EXPECT_EQ(first_exploration(9), 2u);
  EXPECT_EQ(first_exploration(10), 4u);
}

TEST(HyperFdPolicy, NamesBadOptions) {
  EXPECT_EQ(message_of([] { make_policy("hyperfd:explore=nevr"); }),
            "hyperfd: unknown explore \"nevr\"; did you mean \"never\"?");
  EXPECT_EQ(message_of([] { make_policy("hyperfd:loss=msr"); }),
            "hyperfd: loss: expected one of ranking, pairwise, mse, got \"msr\"");
  EXPECT_EQ(make_policy("paper:loss=mse")->ranker_options()->loss, LossKind::kMse);
  EXPECT_EQ(make_policy("paper")->ranker_options()->learning_rate, 1e-4);
}

TEST(HyperFdPolicy, LetsATasksOwnResultsMoveTheTop) {
  const SearchSpace space = hpo_space();
  const RankingModel model = make_model(space);
  const auto policy = make_policy("hyperfd");
  Rng rng(6);
  const ConfigurationKeys taken;
  const Configuration top = policy->suggest({space, {}, taken, &model}, 1, rng).at(0);
  // The model's favourite and everything like it is bad here.
  std::vector<ScoredConfiguration> results;
  for (int i = 0; i < 30; ++i) {
    const Configuration other = space.sample(rng);
    double distance = 0;
    for (const auto& entry : other.items()) distance += entry.value() == top[entry.key()] ? 0 : 1;
    results.push_back({other, distance});
  }
  EXPECT_NE(policy->suggest({space, results, taken, &model}, 1, rng).at(0), top);
}

TEST(HyperFdPolicy, GivesEveryConfigurationOfASmallSpaceOnce) {
  const SearchSpace space = hpo_space();
  const RankingModel model = make_model(space);
  const auto policy = make_policy("hyperfd");
  Rng rng(7);
  ConfigurationKeys taken;
  while (taken.size() < 216) {
    const auto suggestions = policy->suggest({space, {}, taken, &model}, 40, rng);
    ASSERT_EQ(suggestions.size(), std::min<std::size_t>(40, 216 - taken.size()));
    for (const Configuration& suggestion : suggestions) EXPECT_TRUE(taken.insert(configuration_key(suggestion)));
  }
  EXPECT_TRUE(policy->suggest({space, {}, taken, &model}, 1, rng).empty());
}

TEST(HyperFdPolicy, RanksDrawsOfASpaceThatCannotBeEnumerated) {
  const auto space = SearchSpace::parse(parse_json(
      R"({"lr": {"_type": "loguniform", "_value": [0.0001, 0.1]}, "n": {"_type": "randint", "_value": [0, 5]}})",
      "space"));
  RankingModel model(space.encoding_size(), {}, 1);
  TaskExperience task{"past", {}, {}};
  Rng rng(8);
  for (int i = 0; i < 30; ++i) {
    const Configuration configuration = space.sample(rng);
    task.encodings.push_back(space.encode(configuration));
    task.scores.push_back(configuration["lr"].get<double>());  // the larger the better
  }
  model.update({task}, 2);
  const auto first = make_policy("hyperfd")->suggest({space, {}, {}, &model}, 1, rng);
  ASSERT_EQ(first.size(), 1u);
  space.check(first[0]);
  EXPECT_GT(first[0]["lr"].get<double>(), 0.03);  // the best sixth of the range, on its logarithmic scale
}

// As published: no mutants.
TEST(PaperPolicy, SuggestsNothingButDrawsOfALargeSpace) {
  const auto space = SearchSpace::parse(parse_json(R"({"x": {"_type": "uniform", "_value": [0, 1]}})", "space"));
  const RankingModel model = make_model(space);
  const auto drawn_by = [&](const std::string& policy, std::uint64_t seed) {
    Rng rng(seed), same(seed);
    const TaskView task{space, {}, {}, &model};
    const auto candidates = make_candidates(task, 1, same);
    const auto suggested = make_policy(policy)->suggest(task, 1, rng).at(0);
    return std::find(candidates.begin(), candidates.end(), suggested) != candidates.end();
  };
  int others = 0;
  for (std::uint64_t seed = 0; seed < 5; ++seed) {
    EXPECT_TRUE(drawn_by("paper", seed)) << seed;
    others += drawn_by("hyperfd", seed) ? 0 : 1;
  }
  EXPECT_GT(others, 0);
}

// Whatever the ranker has learned to read, as a bundle's has.
TEST(HyperFdPolicy, ReadsOfADataSetWhatItsOptionsSay) {
  const SearchSpace space = hpo_space();
  const std::string key = space.definition().begin().key();
  RankerOptions options;
  options.warm_up_iterations = 300;
  RankingModel model(space.encoding_size(), options, 1);
  model.add_effects(space.encoding_columns());
  std::vector<TaskExperience> tasks(12);
  Rng rng(3);
  for (std::size_t t = 0; t < tasks.size(); ++t) {
    tasks[t].task = "task " + std::to_string(t);
    tasks[t].statistics = {t % 2 ? 1.0 : -1.0};
    for (int i = 0; i < 20; ++i) {
      const Configuration configuration = space.sample(rng);
      const bool is_first = configuration[key] == space.at(0)[key];
      tasks[t].encodings.emplace_back(space.encode(configuration));
      tasks[t].scores.push_back(is_first == (t % 2 == 1) ? 1 + 0.1 * rng.uniform() : 0);
    }
  }
  model.update(tasks, 2);
  const auto best = [&](const std::string& policy, double number) {
    const std::vector<double> statistics = {number};
    Rng own(4);
    const TaskView view{space, {}, {}, &model, PastExperience::none(), statistics};
    return make_policy(policy)->suggest(view, 1, own).at(0);
  };
  for (const std::string policy : {"hyperfd", "paper"}) {
    EXPECT_EQ(best(policy, 1)[key], space.at(0)[key]) << policy;
    EXPECT_NE(best(policy, -1)[key], space.at(0)[key]) << policy;
    EXPECT_EQ(best(policy + ":numbers=off", 1), best(policy + ":numbers=off", -1)) << policy;
  }
  const auto prior_with = [&](const RankerOptions& read, std::vector<float> feature) {
    PosteriorInput input = model.embed(std::vector<EncodedConfiguration>(1, space.encode(space.at(0))));
    TaskExperience own{"new", {}, {}};
    own.feature = std::move(feature);
    model.set_prior(own, input, read);
    return input.prior[0];
  };
  RankerOptions blind;
  blind.images = false;
  const std::vector<float> feature(static_cast<std::size_t>(options.hidden_units), 1.0f);
  EXPECT_NE(prior_with({}, feature), prior_with({}, {}));
  EXPECT_EQ(prior_with(blind, feature), prior_with(blind, {}));
}

TEST(HyperFdPolicy, AnswersMoreThanItsCandidatesInALargeSpace) {
  const auto space = SearchSpace::parse(parse_json(R"({"x": {"_type": "uniform", "_value": [0, 1]}})", "space"));
  const RankingModel model = make_model(space);
  Rng rng(9);
  const auto suggestions = make_policy("hyperfd")->suggest({space, {}, {}, &model}, 500, rng);
  ConfigurationKeys distinct;
  for (const Configuration& suggestion : suggestions) distinct.insert(configuration_key(suggestion));
  EXPECT_EQ(distinct.size(), 500u);
}

TEST(HyperFdPolicy, IsRandomWithoutATrainedModelUntilResultsAreIn) {
  const SearchSpace space = hpo_space();
  const RankingModel untrained(space.encoding_size(), {}, 1);
  Rng expected_rng(10), no_model_rng(10), untrained_rng(10);
  const auto expected = make_policy("random")->suggest({space, {}, {}, nullptr}, 4, expected_rng);
  EXPECT_EQ(make_policy("hyperfd")->suggest({space, {}, {}, nullptr}, 4, no_model_rng), expected);
  EXPECT_EQ(make_policy("hyperfd")->suggest({space, {}, {}, &untrained}, 4, untrained_rng), expected);
}

TEST(HyperFdPolicy, LearnsFromOwnResultsWithoutAModel) {
  const SearchSpace space = hpo_space();
  Rng rng(11);
  std::vector<ScoredConfiguration> results;
  for (int i = 0; i < 20; ++i) {
    const Configuration configuration = space.sample(rng);
    const std::string key = space.definition().begin().key();
    results.push_back({configuration, configuration[key] == space.at(0)[key] ? 1.0 : 0.0});
  }
  const auto next = make_policy("hyperfd")->suggest({space, results, {}, nullptr}, 1, rng);
  ASSERT_EQ(next.size(), 1u);
  const std::string key = space.definition().begin().key();
  EXPECT_EQ(next[0][key], space.at(0)[key]);
}

TEST(HyperFdPolicy, GoesOnWhereHardlyAnythingIsFeasible) {
  const auto space = SearchSpace::parse(parse_json(
      R"({"x": {"_type": "uniform", "_value": [0, 1]}, "n": {"_type": "randint", "_value": [0, 5]}})", "space"));
  const Annotation annotation = Annotation::parse(
      parse_json(R"({"constraints": {"linear": [{"sum": {"x": 1}, "max": 0.0001}]}})", "annotation"), space);
  const auto policy = make_policy("hyperfd");
  std::vector<ScoredConfiguration> results;
  ConfigurationKeys taken;
  for (std::uint64_t seed = 0; seed < 10; ++seed) {  // five random ones, then by what came of them
    Rng rng(seed);
    const TaskView view{space, results, taken, nullptr, PastExperience::none(), TaskView::no_statistics(), annotation};
    const auto next = policy->suggest(view, 1, rng);
    ASSERT_EQ(next.size(), 1u) << seed;
    space.check(next[0]);
    annotation.check(next[0]);
    EXPECT_TRUE(taken.insert(configuration_key(next[0])));
    results.push_back({next[0], next[0]["n"].get<double>()});
  }
}

TEST(HyperFdPolicy, DecidesItselfHowMuchTheNetworkCounts) {
  const SearchSpace space = hpo_space();
  const std::string key = space.definition().begin().key();
  RankerOptions options;
  options.warm_up_iterations = options.iterations_per_update = 0;  // a network that knows nothing
  RankingModel model(space.encoding_size(), options, 1);
  model.add_effects(space.encoding_columns());
  std::vector<TaskExperience> tasks(3);
  Rng rng(13);
  for (std::size_t t = 0; t < tasks.size(); ++t) {
    tasks[t].task = "task " + std::to_string(t);
    for (int i = 0; i < 20; ++i) {
      const Configuration configuration = space.sample(rng);
      tasks[t].encodings.emplace_back(space.encode(configuration));
      tasks[t].scores.push_back(configuration[key] == space.at(0)[key] ? 1 : 0);
    }
  }
  model.update(tasks, 2);
  std::vector<EncodedConfiguration> points;
  for (std::uint64_t i = 0; i < *space.size(); ++i) points.emplace_back(space.encode(space.at(i)));
  PosteriorInput network = model.embed(points), effects = network, both = network;
  const auto with_share = [](double share) {
    RankerOptions read;
    read.network_share = share;
    return read;
  };
  model.set_prior({"new", {}, {}}, network, with_share(1));
  model.set_prior({"new", {}, {}}, effects, with_share(0));
  model.set_prior({"new", {}, {}}, both, with_share(0.25));
  const double scale = (both.prior[0] - 0.75 * effects.prior[0]) / (0.25 * network.prior[0]);
  EXPECT_GT(scale, 0);
  for (std::size_t i = 0; i < points.size(); ++i) {
    EXPECT_NEAR(both.prior[i], 0.75 * effects.prior[i] + 0.25 * scale * network.prior[i], 1e-5);
  }
  const auto first = [&](const std::string& policy) {
    const auto best = make_policy(policy)->suggest({space, {}, {}, &model}, 1, rng).at(0);
    for (std::uint64_t i = 0; i < *space.size(); ++i) {
      if (space.at(i) == best) return i;
    }
    return *space.size();
  };
  const auto top = [](const PosteriorInput& input) {
    return static_cast<std::uint64_t>(std::max_element(input.prior.begin(), input.prior.end()) - input.prior.begin());
  };
  EXPECT_EQ(space.at(first("hyperfd:network_share=0"))[key], space.at(0)[key]);
  EXPECT_EQ(first("hyperfd:network_share=0"), top(effects));
  EXPECT_EQ(first("hyperfd:effects=off"), top(network));
  EXPECT_EQ(first("paper"), top(network));
}

// A space whose configurations are chains of one to three operators.
TEST(HyperFdPolicy, RanksArchitecturesByTheirGraphs) {
  const auto space = SearchSpace::parse(parse_json(R"({"depth": {"_type": "choice", "_value": [1, 2, 3]},
                                                       "kernel": {"_type": "choice", "_value": [3, 5, 7]}})",
                                                   "space"));
  const Annotation annotation = Annotation::parse(
      parse_json(R"({"encoder": "gin", "architecture": {"input": {"channels": 3, "size": [64, 64]}, "stages": [
                       {"name": "only", "width": 8, "repeat": {"key": "depth"},
                        "block": {"operator": "conv", "kernel": {"key": "kernel"}}}]}})",
                 "annotation"),
      space);
  const EncodingShape shape = encoding_shape(space, annotation);
  EXPECT_EQ(shape.flat, 0u);
  EXPECT_GT(shape.node_features, 0u);
  RankingModel model(shape, {}, 1);
  std::vector<TaskExperience> tasks(3);
  for (std::size_t t = 0; t < tasks.size(); ++t) {
    tasks[t].task = "task " + std::to_string(t);
    for (std::uint64_t i = 0; i < *space.size(); ++i) {
      tasks[t].encodings.push_back(encode(space, annotation, space.at(i)));
      tasks[t].scores.push_back(space.at(i)["depth"].get<double>() - 0.1 * space.at(i)["kernel"].get<double>());
    }
  }
  model.update(tasks, 2);
  Rng rng(12);
  const TaskView view{space, {}, {}, &model, PastExperience::none(), TaskView::no_statistics(), annotation};
  const auto first = make_policy("hyperfd")->suggest(view, 1, rng).at(0);
  EXPECT_EQ(first["depth"], 3);
  EXPECT_EQ(first["kernel"], 3);
  // Under another annotation the model reads something else and is not asked.
  EXPECT_EQ(make_policy("hyperfd")->suggest({space, {}, {}, &model}, 1, rng).size(), 1u);
}

}  // namespace
}  // namespace hyperfd
