#include <algorithm>
#include <cmath>
#include <functional>
#include <memory>
#include <numeric>

#include <gtest/gtest.h>
#include <torch/torch.h>

#include "tuner/base/error.h"
#include "tuner/ranker/config_encoder.h"
#include "tuner/ranker/graph_encoder.h"
#include "tuner/ranker/meta_feature_extractor.h"
#include "tuner/ranker/tensors.h"

namespace hyperfd {
namespace {

constexpr std::size_t kFeatures = 3;

// A chain with some shortcuts.
Graph random_graph(int nodes, Rng& rng) {
  Graph graph{kFeatures, {}, {}};
  for (std::size_t i = 0; i < static_cast<std::size_t>(nodes) * kFeatures; ++i) {
    graph.features.push_back(static_cast<float>(rng.uniform()));
  }
  for (int v = 1; v < nodes; ++v) {
    graph.edges.emplace_back(v - 1, v);
    if (v > 1 && rng.below(2) == 0) graph.edges.emplace_back(v - 2, v);
  }
  return graph;
}

// The same graph with its nodes and edges in another order.
Graph shuffled(const Graph& graph, Rng& rng) {
  std::vector<int> place(graph.nodes());
  std::iota(place.begin(), place.end(), 0);
  rng.shuffle(place);
  Graph result{kFeatures, std::vector<float>(graph.features.size()), graph.edges};
  for (std::size_t v = 0; v < place.size(); ++v) {
    std::copy_n(graph.features.begin() + static_cast<std::ptrdiff_t>(v * kFeatures), kFeatures,
                result.features.begin() + static_cast<std::ptrdiff_t>(static_cast<std::size_t>(place[v]) * kFeatures));
  }
  for (auto& [from, to] : result.edges) {
    from = place[static_cast<std::size_t>(from)];
    to = place[static_cast<std::size_t>(to)];
  }
  rng.shuffle(result.edges);
  return result;
}

torch::Tensor embed(const GinEncoder& encoder, const std::vector<const Graph*>& graphs) {
  return encoder.forward(GraphBatch(graphs, kFeatures));
}

double difference(const torch::Tensor& a, const torch::Tensor& b) {
  return (a - b).abs().max().item<double>();
}

// Largest relative difference between the gradient of sum(f²) by autograd and by finite differences, over some weights.
double gradient_error(const std::vector<torch::Tensor>& weights, const std::function<torch::Tensor()>& f, Rng& rng) {
  const auto loss = [&] { return f().to(torch::kFloat64).square().sum(); };
  for (torch::Tensor weight : weights) weight.requires_grad_();
  loss().backward();
  const torch::NoGradGuard no_grad;
  double worst = 0;
  for (const torch::Tensor& weight : weights) {
    float* const values = weight.data_ptr<float>();
    const auto at = static_cast<std::int64_t>(rng.below(static_cast<std::uint64_t>(weight.numel())));
    const float before = values[at];
    const double step = 1e-3;  // few ReLUs change sides within it
    values[at] = before + static_cast<float>(step);
    const double up = loss().item<double>();
    values[at] = before - static_cast<float>(step);
    const double down = loss().item<double>();
    values[at] = before;
    const double slope = (up - down) / (2 * step);
    const double gradient = weight.grad().contiguous().data_ptr<float>()[at];
    worst = std::max(worst, std::abs(gradient - slope) / (std::abs(slope) + 0.1));
  }
  return worst;
}

TEST(GinEncoder, GivesIsomorphicGraphsTheSameEmbedding) {
  Rng rng(1);
  const GinEncoder encoder(kFeatures, 16, rng);
  for (int i = 0; i < 5; ++i) {
    const Graph graph = random_graph(8, rng), twin = shuffled(graph, rng);
    EXPECT_LT(difference(embed(encoder, {&graph}), embed(encoder, {&twin})), 1e-5);
  }
}

TEST(GinEncoder, TellsGraphsApart) {
  Rng rng(2);
  const GinEncoder encoder(kFeatures, 16, rng);
  const Graph graph = random_graph(8, rng);
  Graph other_edge = graph, other_feature = graph, longer = graph, turned = graph;
  other_edge.edges.emplace_back(0, 7);
  other_feature.features[4] += 0.5f;
  longer.features.insert(longer.features.end(), kFeatures, 0.0f);
  for (auto& [from, to] : turned.edges) std::swap(from, to);
  for (const Graph& other : {other_edge, other_feature, longer, turned}) {
    EXPECT_GT(difference(embed(encoder, {&graph}), embed(encoder, {&other})), 1e-4);
  }
}

TEST(GinEncoder, EmbedsAGraphTheSameInAnyCompany) {
  Rng rng(3);
  const GinEncoder encoder(kFeatures, 16, rng);
  const Graph a = random_graph(3, rng), b = random_graph(9, rng), c = random_graph(1, rng);
  const torch::Tensor together = embed(encoder, {&a, &b, &c});
  EXPECT_LT(difference(together[0], embed(encoder, {&a})[0]), 1e-5);
  EXPECT_LT(difference(together[1], embed(encoder, {&b})[0]), 1e-5);
  EXPECT_LT(difference(together[2], embed(encoder, {&c})[0]), 1e-5);
}

TEST(GinEncoder, HasTheGradientOfFiniteDifferences) {
  Rng rng(4);
  const GinEncoder encoder(kFeatures, 8, rng);
  const Graph a = random_graph(4, rng), b = random_graph(6, rng);
  EXPECT_LT(gradient_error(
                encoder.parameters(),
                [&] {
                  return embed(encoder, {&a, &b});
                },
                rng),
            0.02);
}

TEST(GinEncoder, DropsHiddenUnitsBySeedInTrainingOnly) {
  Rng rng(5);
  const GinEncoder encoder(kFeatures, 16, rng);
  const Graph graph = random_graph(6, rng);
  const auto forward = [&](std::uint64_t seed) {
    Rng masks(seed);
    return encoder.forward(GraphBatch({&graph}, kFeatures), 0.2, &masks);
  };
  EXPECT_TRUE(forward(1).equal(forward(1)));
  EXPECT_FALSE(forward(1).equal(forward(2)));
  EXPECT_TRUE(embed(encoder, {&graph}).equal(embed(encoder, {&graph})));
}

TEST(ConfigEncoder, ReadsNumbersGraphOrBoth) {
  Rng rng(6);
  const auto graph = std::make_shared<const Graph>(random_graph(5, rng));
  const auto other = std::make_shared<const Graph>(random_graph(5, rng));
  const std::vector<EncodedConfiguration> rows = {{{0, 1}, graph}, {{0, 1}, other}, {{1, 1}, graph}};
  const auto differ = [&](const EncodingShape& shape) {
    const ConfigEncoder encoder(shape, 8, rng);
    EXPECT_EQ(encoder.shape().flat, shape.flat);
    EXPECT_EQ(encoder.shape().node_features, shape.node_features);
    const torch::Tensor embeddings = encoder.forward(encoder.input(rows));
    // Rows of one product may be summed in another order than their neighbours.
    return std::make_pair(!embeddings[0].allclose(embeddings[1]), !embeddings[0].allclose(embeddings[2]));
  };
  EXPECT_EQ(differ({2, 0}), std::make_pair(false, true));
  EXPECT_EQ(differ({0, kFeatures}), std::make_pair(true, false));
  EXPECT_EQ(differ({2, kFeatures}), std::make_pair(true, true));
}

TEST(ConfigEncoder, HasTheGradientOfFiniteDifferencesWhereBothAreFused) {
  Rng rng(7);
  const ConfigEncoder encoder({2, kFeatures}, 8, rng);
  const std::vector<EncodedConfiguration> rows = {{{0, 1}, std::make_shared<const Graph>(random_graph(5, rng))},
                                                  {{1, 0}, std::make_shared<const Graph>(random_graph(3, rng))}};
  const EncoderInput input = encoder.input(rows);
  EXPECT_LT(gradient_error(
                encoder.parameters(), [&] { return encoder.forward(input); }, rng),
            0.02);
}

TEST(MlpEncoder, ScoresAsItEmbeds) {
  Rng rng(8);
  const MlpEncoder encoder(5, 16, rng);
  const torch::Tensor rows = uniform_tensor({5000, 5}, 1, rng), feature = uniform_tensor({16}, 1, rng);
  EXPECT_LT(difference(encoder.scores(rows, feature), torch::mv(encoder.forward(rows), feature)), 1e-5);
}

TEST(MetaFeatureExtractor, DoesNotSeeTheOrderOfImages) {
  Rng rng(9);
  const MetaFeatureExtractor extractor(6, 2, 16, rng);
  const torch::Tensor images = uniform_tensor({7, 6}, 1, rng), statistics = uniform_tensor({2}, 1, rng);
  const torch::Tensor feature = extractor.forward(images, statistics);
  EXPECT_LT(difference(feature, extractor.forward(images.flip(0), statistics)), 1e-5);
  EXPECT_GT(difference(feature, extractor.forward(images.slice(0, 0, 6), statistics)), 1e-4);
  EXPECT_GT(difference(feature, extractor.forward(images, statistics + 1)), 1e-4);
  EXPECT_EQ(extractor.forward(images.slice(0, 0, 1), statistics).size(0), 16);
}

TEST(MetaFeatureExtractor, HasTheGradientOfFiniteDifferences) {
  Rng rng(10);
  const MetaFeatureExtractor extractor(6, 2, 8, rng);
  const torch::Tensor images = uniform_tensor({5, 6}, 1, rng), statistics = uniform_tensor({2}, 1, rng);
  const torch::Tensor direction = uniform_tensor({8}, 1, rng);  // the norm of the output hardly varies
  EXPECT_LT(gradient_error(
                extractor.parameters(), [&] { return extractor.forward(images, statistics) * direction; }, rng),
            0.03);
}

TEST(MetaFeatureExtractor, StandardisesItsInputs) {
  Rng rng(11);
  MetaFeatureExtractor extractor(2, 1, 8, rng);
  const torch::Tensor images = uniform_tensor({9, 2}, 1, rng), statistics = torch::tensor({0.5f});
  const torch::Tensor before = extractor.forward(images, statistics);
  const torch::Tensor inputs = torch::tensor({{100.0f, -2.0f, 3.0f}, {300.0f, 2.0f, 3.0f}});
  extractor.set_standardisation(inputs);  // mean 200, 0, 3; deviation 100, 2, and 1 where there is none
  EXPECT_LT(difference(before, extractor.forward(images * torch::tensor({100.0f, 2.0f}) + torch::tensor({200.0f, 0.0f}),
                                                 statistics + 3)),
            1e-5);
}

TEST(MetaFeatureExtractor, IsRebuiltFromItsFlatWeights) {
  Rng rng(12);
  const MetaFeatureExtractor extractor(5, 2, 12, rng);
  const auto copy = MetaFeatureExtractor::from_flat(5, 2, extractor.flat());
  const torch::Tensor images = uniform_tensor({4, 5}, 1, rng), statistics = uniform_tensor({2}, 1, rng);
  EXPECT_TRUE(copy.forward(images, statistics).equal(extractor.forward(images, statistics)));
  std::vector<float> short_by_one = extractor.flat();
  short_by_one.pop_back();
  EXPECT_THROW(MetaFeatureExtractor::from_flat(5, 2, short_by_one), InputError);
}

}  // namespace
}  // namespace hyperfd
