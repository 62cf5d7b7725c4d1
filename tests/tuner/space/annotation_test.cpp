#include "tuner/space/annotation.h"

#include <cmath>
#include <map>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/message_of.h"
#include "tests/tuner/temporary_folder.h"
#include "tuner/base/files.h"
#include "tuner/space/architecture.h"
#include "tuner/space/detector_cost.h"
#include "tuner/space/feasible.h"

namespace hyperfd {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const std::string kSpaces = HYPERFD_SOURCE_DIR "/search_spaces/";

SearchSpace load_space(const std::string& name) {
  return SearchSpace::load(kSpaces + name + ".yaml");
}
Annotation load_annotation(const std::string& name, const SearchSpace& space) {
  return Annotation::load(Annotation::find_beside(kSpaces + name + ".yaml"), space);
}

SearchSpace small_space() {
  return SearchSpace::parse(parse_json(R"({
    "a": {"_type": "choice", "_value": [1, 2, 3, 4]}, "b": {"_type": "randint", "_value": [0, 5]},
    "layer": {"_type": "choice", "_value": [
      {"_name": "conv", "kernel": {"_type": "choice", "_value": [3, 5]}, "width": {"_type": "choice", "_value": [8, 16]}},
      {"_name": "pool"}]}})",
                                       "space"));
}

Annotation annotate(const SearchSpace& space, const char* text) {
  return Annotation::parse(parse_json(text, "test"), space);
}

// ---- Architecture ----

TEST(ProxylessNasTemplate, CostsWhatTheDetectorsBackboneCosts) {
  const SearchSpace space = load_space("proxylessnas");
  const Annotation annotation = load_annotation("proxylessnas", space);
  ASSERT_TRUE(annotation.architecture());
  EXPECT_EQ(annotation.encoder(), EncoderKind::kJoint);
  Rng rng(1);
  for (int i = 0; i < 300; ++i) {
    const Configuration configuration = space.sample(rng);
    const Architecture architecture = *architecture_from(configuration, "sample");
    for (const ImageSize size : {ImageSize{}, ImageSize{333, 77}}) {
      const Cost expected = backbone_cost(architecture, size);
      const Cost cost = annotation.architecture()->cost(configuration, size);
      ASSERT_EQ(cost.multiply_adds, expected.multiply_adds) << configuration;
      ASSERT_EQ(cost.parameters, expected.parameters) << configuration;
    }
  }
}

TEST(ProxylessNasTemplate, GraphIsAChainOfBlocksWithTheirResidualConnections) {
  const SearchSpace space = load_space("proxylessnas");
  const Annotation annotation = load_annotation("proxylessnas", space);
  const ArchitectureTemplate& architecture = *annotation.architecture();
  EXPECT_THAT(architecture.keys(), ElementsAre("stage2", "stage3", "stage4", "stage5", "stage6", "stage7"));
  const Graph largest = architecture.graph(space.at(*space.size() - 1));
  // Input, stem, 1 + 3 + 3 + 4 + 4 + 4 + 1 blocks, output; residual in every block of a stage but its first.
  EXPECT_EQ(largest.nodes(), 23u);
  EXPECT_EQ(largest.edges.size(), 22u + (2 + 2 + 3 + 3 + 3));
  std::set<std::pair<int, int>> distinct(largest.edges.begin(), largest.edges.end());
  EXPECT_EQ(distinct.size(), largest.edges.size());
  for (const auto& [from, to] : largest.edges) EXPECT_LT(from, to);
  // Stage 2: nodes 3, 4, 5; the second block's input, node 3, is added to its output, which node 5 reads.
  EXPECT_TRUE(distinct.count({3, 5}));
  EXPECT_FALSE(distinct.count({2, 4}));
}

TEST(ProxylessNasTemplate, FeaturesHaveOneLayoutAndTellOperatorsApart) {
  const SearchSpace space = load_space("proxylessnas");
  const Annotation annotation = load_annotation("proxylessnas", space);
  const ArchitectureTemplate& architecture = *annotation.architecture();
  // One-hot (input, output, conv, inverted_residual), then kernel, expansion, width, stride, stage, block.
  EXPECT_EQ(architecture.feature_size(), 10u);
  Configuration configuration = space.at(0);
  configuration["stage2"]["kernel1"] = 5;
  const Graph graph = architecture.graph(configuration);
  ASSERT_EQ(graph.feature_size, 10u);
  const auto row = [&](std::size_t node) {
    return std::vector<float>(graph.features.begin() + static_cast<std::ptrdiff_t>(node * 10),
                              graph.features.begin() + static_cast<std::ptrdiff_t>(node * 10 + 10));
  };
  EXPECT_EQ(row(0)[0], 1);
  EXPECT_EQ(row(graph.nodes() - 1)[1], 1);
  EXPECT_EQ(row(1)[2], 1);
  const std::vector<float> block = row(3);  // the only one of stage 2: kernel 5 of 7, expansion 4 of 6, width 12
  EXPECT_EQ(block[3], 1);
  EXPECT_FLOAT_EQ(block[4], 5.0f / 7);
  EXPECT_FLOAT_EQ(block[5], 4.0f / 6);
  EXPECT_FLOAT_EQ(block[6], std::log(13.0f) / std::log(161.0f));
  EXPECT_FLOAT_EQ(block[7], 1);
  EXPECT_FLOAT_EQ(block[8], 3.0f / 9);
  EXPECT_FLOAT_EQ(block[9], 1.0f / 4);
  Rng rng(2);
  for (int i = 0; i < 50; ++i) {
    for (const float feature : architecture.graph(space.sample(rng)).features) {
      EXPECT_GE(feature, 0);
      EXPECT_LE(feature, 1);
    }
  }
}

TEST(JointSpace, IsBothSpacesAtOnce) {
  const SearchSpace joint = load_space("joint"), hpo = load_space("hpo"), nas = load_space("proxylessnas");
  Json both = hpo.definition();
  for (const auto& [key, value] : nas.definition().items()) both[key] = value;
  EXPECT_EQ(joint.definition(), both);
  EXPECT_EQ(joint.size(), 216u * 1447052760824832u);
  const Annotation annotation = load_annotation("joint", joint);
  EXPECT_EQ(annotation.encoder(), EncoderKind::kJoint);
  EXPECT_EQ(annotation.definition(), load_annotation("proxylessnas", nas).definition());
}

// The custom space of search_spaces/classifier.yaml, by hand.
TEST(CustomArchitecture, CostsTheHandCountAndHasItsGraph) {
  const SearchSpace space = load_space("classifier");
  const Annotation annotation = load_annotation("classifier", space);
  const Configuration configuration = parse_json(R"({
    "stem_width": 16, "stage1": {"_name": "two_blocks", "op1": "conv5", "op2": "none"},
    "stage2": {"_name": "one_block", "op1": "separable3"}, "last_width": 100, "last_depth": 2})",
                                                 "configuration");
  space.check(configuration);
  // Maps: stem 32×32, stage 1 16×16, stage 2 8×8, last 4×4.
  const std::int64_t stem = 3 * 16 * 9, conv5 = 16 * 32 * 25, depthwise = 32 * 9, pointwise = 32 * 64;
  const std::int64_t first = 64 * 25 + 25 * 25 * 9 + 25 * 100, second = 100 * 25 + 25 * 25 * 9 + 25 * 100;
  const std::int64_t head = 100 * 10;
  const Cost cost = annotation.architecture()->cost(configuration);
  EXPECT_EQ(cost.multiply_adds, stem * 1024 + conv5 * 256 + (depthwise + pointwise) * 64 + (64 * 25) * 64 +
                                    (25 * 25 * 9 + 25 * 100 + second) * 16 + head);
  EXPECT_EQ(cost.parameters, stem + conv5 + depthwise + pointwise + first + second + head +
                                 2 * (16 + 32 + 32 + 64 + 25 + 25 + 100 + 25 + 25 + 100) + 10);

  const Graph graph = annotation.architecture()->graph(configuration);
  // Input, stem, conv, identity, separable, two bottlenecks, pool, linear, output.
  EXPECT_EQ(graph.nodes(), 10u);
  const std::set<std::pair<int, int>> edges(graph.edges.begin(), graph.edges.end());
  EXPECT_TRUE(edges.count({2, 4}));  // around the identity, by `residual`
  EXPECT_TRUE(edges.count({5, 7}));  // around the second bottleneck, which adds its input by itself
  EXPECT_EQ(edges.size(), 9u + 2);
}

TEST(CustomArchitecture, MistakesNameTheirPlace) {
  const SearchSpace space = small_space();
  const auto message = [&](const std::string& stage) {
    const std::string text = R"({"architecture": {"stages": [)" + stage + "]}}";
    return message_of([&] { annotate(space, text.c_str()); });
  };
  EXPECT_EQ(message(R"({"name": "s", "block": {"operator": "conv", "kernel": 3, "width": 8}})"), "no InputError");
  EXPECT_EQ(message(R"({"block": {}})"), "architecture.stages[0].name: expected the stage's name");
  EXPECT_EQ(message(R"({"name": "s", "block": {"operator": "cnov"}})"),
            "architecture.stages[0].block.operator: unknown operator \"cnov\"; did you mean \"conv\"?");
  EXPECT_EQ(message(R"({"name": "s", "block": {"operator": "conv", "kernel": 3}})"),
            "architecture.stages[0].block.width: missing; the operator conv needs it");
  EXPECT_EQ(message(R"({"name": "s", "block": {"operator": "identity", "kernel": 3}})"),
            "architecture.stages[0].block.kernel: the operator identity does not take it");
  EXPECT_EQ(message(R"({"name": "s", "block": [{"operator": "max_pool", "kernel": {"key": "layer.kernle"}}]})"),
            "architecture.stages[0].block[0].kernel.key: unknown key of the search space \"layer.kernle\"; did you "
            "mean \"layer.kernel\"?");
  EXPECT_EQ(
      message(R"({"name": "s", "block": {"operator": "max_pool", "kernel": {"key": "b"}}})"),
      "architecture.stages[0].block.kernel: expected a whole number from 1 to 99, got \"b\" with values from 0.0");
  EXPECT_EQ(message(R"({"name": "s", "repeat": {"key": "layer._name", "values": {"conv": 2}}, "block": {}})"),
            "architecture.stages[0].repeat.values: nothing for \"pool\" of \"layer._name\"");
  EXPECT_THAT(message(R"({"name": "s", "block": {"operator": "max_pool", "kernel": {"key": "layer.kernel"}}})"),
              HasSubstr("architecture: \"layer.kernel\" is not active in {"));
  std::string many = R"({"operator": "identity"})";
  for (int i = 0; i < 99; ++i) many += R"(, {"operator": "identity"})";
  EXPECT_THAT(message(R"({"name": "s", "repeat": 256, "block": [)" + many + "]}"),
              HasSubstr("the architecture has too many operators"));
  EXPECT_THAT(message(R"({"name": "s", "stride": 2, "block": {"operator": "identity"}})"),
              HasSubstr("architecture: stage \"s\": no operator takes its stride in"));
}

TEST(Annotation, MistakesNameTheirPlace) {
  const SearchSpace space = small_space();
  const auto message = [&](const char* text) { return message_of([&] { annotate(space, text); }); };
  EXPECT_EQ(message(R"([])"), "annotation: expected an object, got []");
  EXPECT_EQ(message(R"({"encoders": "mlp"})"), "annotation: unknown key \"encoders\"; did you mean \"encoder\"?");
  EXPECT_EQ(message(R"({"encoder": "gni"})"), "encoder: unknown encoder \"gni\"; did you mean \"gin\"?");
  EXPECT_EQ(message(R"({"encoder": "gin"})"), "encoder: gin needs an architecture");
  EXPECT_EQ(message(R"({"constraints": {"cost": {"parameters": {"max": 1}}}})"),
            "constraints.cost: needs an architecture to count");
  EXPECT_EQ(message(R"({"constraints": {"linear": [{"sum": {"layer._name": 1}, "max": 3}]}})"),
            "constraints.linear[0].sum.layer._name: not every value of this key is a number");
  EXPECT_EQ(message(R"({"constraints": {"linear": [{"sum": {"a": 1}}]}})"),
            "constraints.linear[0]: expected max, or min, or both");
  EXPECT_EQ(message(R"({"constraints": {"table": [{"forbidden": [{"a": [1, 7]}]}]}})"),
            "constraints.table[0].forbidden[0].a: never is 7");
  EXPECT_EQ(message(R"({"constraints": {"table": [{"forbidden": [], "allowed": []}]}})"),
            "constraints.table[0]: expected either forbidden or allowed combinations");
}

TEST(Annotation, RefusesANameThatStandsForTwoKeys) {
  const SearchSpace space = SearchSpace::parse(parse_json(R"({
    "a.b": {"_type": "choice", "_value": [1]}, "c": {"_type": "choice", "_value": [1, 2]},
    "a": {"_type": "choice", "_value": [{"_name": "q", "b": {"_type": "choice", "_value": [2]}}]}})",
                                                          "space"));
  EXPECT_EQ(
      message_of([&] { annotate(space, R"({"constraints": {"table": [{"forbidden": [{"a.b": 2}]}]}})"); }),
      "constraints.table[0].forbidden[0].a.b: \"a.b\" is both a parameter with a dot in its name and a nested one; "
      "rename the former");
  EXPECT_NO_THROW(annotate(space, R"({"constraints": {"table": [{"forbidden": [{"a._name": "q", "c": 1}]}]}})"));
}

TEST(Annotation, IsFoundBesideItsSpaceAndErrorsNameTheFile) {
  const TemporaryFolder folder;
  const std::string space = folder.file("my.space.json"), file = folder.file("my.space.hyperfd.yml");
  EXPECT_EQ(Annotation::find_beside(space), "");
  write_file_atomically(file, "encoder: 3\n");
  EXPECT_EQ(Annotation::find_beside(space), file);
  EXPECT_EQ(message_of([&] { Annotation::load(file, small_space()); }),
            file + ": encoder: expected mlp, gin or joint, got 3");
}

// ---- Constraints ----

TEST(Constraints, CutExactlyWhatTheySay) {
  const SearchSpace space = small_space();
  const Annotation annotation = annotate(space, R"({"constraints": {
    "linear": [{"name": "budget", "sum": {"a": 2, "layer.width": 0.25, "b": 1}, "max": 8, "min": 3}],
    "table": [{"forbidden": [{"layer._name": "pool", "b": [1, 2]}]},
              {"allowed": [{"a": [1, 2, 3.0]}, {"layer.kernel": 5}]}]}})");
  std::size_t feasible = 0;
  for (std::uint64_t i = 0; i < *space.size(); ++i) {
    const Configuration c = space.at(i);
    const int a = c["a"], b = c["b"];
    const bool conv = c["layer"]["_name"] == "conv";
    const double sum = 2 * a + b + (conv ? 0.25 * c["layer"]["width"].get<double>() : 0);
    const bool holds =
        sum >= 3 && sum <= 8 && (conv || (b != 1 && b != 2)) && (a <= 3 || (conv && c["layer"]["kernel"] == 5));
    EXPECT_EQ(annotation.find_violated(c) == nullptr, holds) << c;
    feasible += holds;
  }
  EXPECT_EQ(FeasibleSampler(space, annotation).feasible().size(), feasible);
  const auto message = [&](const char* text) {
    return message_of([&] { annotation.check(parse_json(text, "test")); });
  };
  EXPECT_EQ(message(R"({"a": 4, "b": 4, "layer": {"_name": "pool"}})"), "constraint budget: the sum is 12, at most 8");
  EXPECT_EQ(message(R"({"a": 1, "b": 2, "layer": {"_name": "pool"}})"),
            R"(constraint table[0]: {"layer._name":"pool","b":[1,2]} is forbidden)");
}

TEST(Constraints, OfCostAgreeWithTheDetector) {
  const SearchSpace space = load_space("proxylessnas");
  Json definition = load_annotation("proxylessnas", space).definition();
  definition["constraints"]["cost"] = {{"multiply_adds", {{"max", "400e6"}}}, {"input", {640, 360}}};
  const Annotation annotation = Annotation::parse(definition, space);
  Rng rng(3);
  int feasible = 0;
  for (int i = 0; i < 300; ++i) {
    const Configuration configuration = space.sample(rng);
    const bool holds = backbone_cost(*architecture_from(configuration, "sample")).multiply_adds <= 400'000'000;
    EXPECT_EQ(annotation.find_violated(configuration) == nullptr, holds);
    feasible += holds;
  }
  EXPECT_GT(feasible, 30);
  EXPECT_LT(feasible, 270);
}

TEST(Constraints, OfParametersHoldForDraws) {
  const SearchSpace space = load_space("classifier");
  Json definition = load_annotation("classifier", space).definition();
  const std::int64_t most = 150'000;
  definition["constraints"] = Json::object();
  const Annotation unbounded = Annotation::parse(definition, space);
  definition["constraints"]["cost"]["parameters"]["max"] = most;
  const Annotation bounded = Annotation::parse(definition, space);
  FeasibleSampler sampler(space, bounded);
  Rng rng(8);
  int above = 0;
  for (int i = 0; i < 300; ++i) {
    EXPECT_LE(unbounded.architecture()->cost(sampler.draw(rng)).parameters, most);
    const Configuration configuration = space.sample(rng);
    const bool is_above = unbounded.architecture()->cost(configuration).parameters > most;
    EXPECT_EQ(bounded.find_violated(configuration) != nullptr, is_above) << configuration;
    EXPECT_FALSE(unbounded.find_violated(configuration));
    above += is_above;
  }
  EXPECT_GT(above, 50);  // a third are
  EXPECT_LT(above, 150);
  EXPECT_GT(sampler.rejected(), 0u);
}

TEST(FeasibleSampler, IsEvenOverTheFeasibleSet) {
  const SearchSpace space = SearchSpace::parse(parse_json(
      R"({"a": {"_type": "choice", "_value": [1, 2, 3, 4]}, "b": {"_type": "randint", "_value": [0, 5]}})", "space"));
  const Annotation annotation =
      annotate(space, R"({"constraints": {"linear": [{"sum": {"a": 1, "b": 1}, "max": 4}]}})");
  FeasibleSampler sampler(space, annotation);
  Rng rng(4);
  std::map<std::string, int> counts;
  constexpr int kDraws = 10000;
  for (int i = 0; i < kDraws; ++i) ++counts[fingerprint(sampler.draw(rng))];
  ASSERT_EQ(counts.size(), 10u);  // 4 + 3 + 2 + 1
  double chi_squared = 0;
  for (const auto& [text, count] : counts) chi_squared += std::pow(count - kDraws / 10.0, 2) / (kDraws / 10.0);
  EXPECT_LT(chi_squared, 45.1);  // 9 degrees of freedom, 1e-6
  EXPECT_NEAR(static_cast<double>(sampler.rejected()) / static_cast<double>(sampler.drawn()), 0.5, 0.02);
}

TEST(FeasibleSampler, FindsTheLastOneOfASpaceThatCanBeEnumerated) {
  const SearchSpace space = SearchSpace::parse(parse_json(
      R"({"a": {"_type": "randint", "_value": [0, 300]}, "b": {"_type": "randint", "_value": [0, 300]}})", "space"));
  const Annotation annotation =
      annotate(space, R"({"constraints": {"linear": [{"sum": {"a": 1, "b": 1}, "min": 598}]}})");
  Rng rng(5);
  FeasibleSampler sampler(space, annotation);
  EXPECT_EQ(sampler.draw(rng), parse_json(R"({"a": 299, "b": 299})", "expected"));
}

TEST(FeasibleSampler, SaysWhichConstraintLeavesNothing) {
  const SearchSpace space = SearchSpace::parse(parse_json(R"({"x": {"_type": "uniform", "_value": [0, 1]}})", "space"));
  const Annotation annotation = annotate(space, R"({"constraints": {"linear": [
    {"name": "floor", "sum": {"x": 1}, "min": 0.1}, {"name": "roof", "sum": {"x": 1}, "max": -1}]}})");
  FeasibleSampler sampler(space, annotation);
  Rng rng(6);
  EXPECT_THAT(
      message_of([&] { sampler.draw(rng); }),
      HasSubstr("constraints: none of 60000 random configurations satisfies them; constraint roof turned away"));
}

// One draw in ten thousand is feasible.
TEST(FeasibleSampler, FillsANarrowSetWithMutantsForFewDraws) {
  const SearchSpace space = SearchSpace::parse(parse_json(R"({"x": {"_type": "uniform", "_value": [0, 1]}})", "space"));
  const Annotation annotation =
      annotate(space, R"({"constraints": {"linear": [{"sum": {"x": 1}, "min": 0.5, "max": 0.5001}]}})");
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    FeasibleSampler sampler(space, annotation);
    Rng rng(seed);
    std::set<double> drawn;
    for (int i = 0; i < 200; ++i) {
      const Configuration c = sampler.draw(rng);
      annotation.check(c);
      drawn.insert(c["x"].get<double>());
    }
    EXPECT_GT(drawn.size(), 190u);
    EXPECT_GT(*drawn.rbegin() - *drawn.begin(), 0.00005) << "they spread over the set";
    EXPECT_LE(sampler.drawn(), 60'000u);
  }
}

TEST(FeasibleSampler, NeverFailsWhereItOnceFoundSomething) {
  const SearchSpace space = SearchSpace::parse(parse_json(R"({"x": {"_type": "uniform", "_value": [0, 1]}})", "space"));
  const Annotation annotation = annotate(space, R"({"constraints": {"linear": [{"sum": {"x": 1}, "max": 0.0001}]}})");
  for (std::uint64_t seed = 0; seed < 30; ++seed) {
    FeasibleSampler sampler(space, annotation);
    Rng rng(seed);
    EXPECT_NO_THROW(annotation.check(sampler.draw(rng))) << seed;
  }
}

TEST(TrainingSpace, ItsConstraintsHoldForDraws) {
  const SearchSpace space = load_space("training");
  const Annotation annotation = load_annotation("training", space);
  EXPECT_EQ(annotation.encoder(), EncoderKind::kMlp);
  FeasibleSampler sampler(space, annotation);
  Rng rng(7);
  for (int i = 0; i < 500; ++i) {
    const Configuration c = sampler.draw(rng);
    space.check(c);
    EXPECT_LE(c["batch_size"].get<double>() + c["image_size"].get<double>(), 400);
    const bool cold = c["schedule"]["_name"] == "cosine" && c["schedule"]["warmup_epochs"] == 0;
    EXPECT_FALSE(cold && c["batch_size"] >= 128) << c;
  }
  EXPECT_GT(sampler.rejected(), 0u);
}

TEST(Constraints, TakeNumbersAsUsersWriteThem) {
  const auto space = SearchSpace::parse(parse_json(R"({"p": {"_type": "quniform", "_value": [0, 0.5, 0.1]},
                                                       "q": {"_type": "choice", "_value": [0.1, 0.2]}})",
                                                   "space"));
  const Annotation forbidden = annotate(space, R"({"constraints": {"table": [{"forbidden": [{"p": 0.3}]}]}})");
  EXPECT_TRUE(forbidden.find_violated({{"p", 0.1 * 3}, {"q", 0.1}})) << "0.30000000000000004";
  EXPECT_FALSE(forbidden.find_violated({{"p", 0.2}, {"q", 0.1}}));
  const Annotation bounded = annotate(space, R"({"constraints": {"linear": [{"sum": {"p": 1, "q": 1}, "max": 0.3}]}})");
  EXPECT_FALSE(bounded.find_violated({{"p", 0.2}, {"q", 0.1}})) << "on the bound";
  EXPECT_TRUE(bounded.find_violated({{"p", 0.2}, {"q", 0.2}}));
}

}  // namespace
}  // namespace hyperfd
