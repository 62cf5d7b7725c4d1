// Every equation against numpy's answer, golden.json.
#include <gmock/gmock.h>
#include <torch/torch.h>

#include "tests/tuner/ranker/golden.h"
#include "tuner/ranker/graph_encoder.h"
#include "tuner/ranker/losses.h"
#include "tuner/ranker/meta_feature_extractor.h"
#include "tuner/ranker/synaptic_intelligence.h"
#include "tuner/ranker/transformation.h"

namespace hyperfd {
namespace {

TEST(Equations, RankingLossesAreNumpys) {
  for (const Json& expected : golden("losses")) {
    const std::vector<float> relevance = relevances(doubles(expected["scores"]), 0.2, 20);
    const auto n = static_cast<std::int64_t>(relevance.size());
    EXPECT_LT(largest_difference(torch::tensor(relevance), expected["relevance"]), 1e-5);

    torch::Tensor predictions = tensor_of(expected["predictions"], n).requires_grad_();
    const torch::Tensor truth = tensor_of(expected["relevance"], n), valid = torch::ones({1, n}, torch::kBool);
    const torch::Tensor loss = ranking_loss(predictions, truth, valid);
    loss.sum().backward();
    EXPECT_NEAR(loss.item<double>(), expected["ranking"].get<double>(), 1e-6);
    EXPECT_LT(largest_difference(predictions.grad(), expected["ranking_gradient"]), 1e-6);
    EXPECT_NEAR(ranking_loss(predictions, truth, valid, RankBy::kLabel).item<double>(),
                expected["ranking_by_label"].get<double>(), 1e-6);
    EXPECT_NEAR(pairwise_loss(predictions, truth, valid).item<double>(), expected["pairwise"].get<double>(), 1e-6);
    EXPECT_NEAR(squared_loss(predictions, truth, valid, 20).item<double>(), expected["mse"].get<double>(), 1e-6);
  }
}

TEST(Equations, LossesAreThoseOfTheOptions) {
  const Json expected = golden("losses")[1];
  const auto n = static_cast<std::int64_t>(expected["scores"].size());
  const auto loss = [&](const std::map<std::string, std::string>& options) {
    return task_losses(tensor_of(expected["predictions"], n), tensor_of(expected["relevance"], n),
                       torch::ones({1, n}, torch::kBool), parse_ranker_options(options))
        .item<double>();
  };
  EXPECT_NEAR(loss({}), expected["ranking"].get<double>(), 1e-6);
  EXPECT_NEAR(loss({{"rank_by", "label"}}), expected["ranking_by_label"].get<double>(), 1e-6);
  EXPECT_NEAR(loss({{"loss", "pairwise"}}), expected["pairwise"].get<double>(), 1e-6);
  EXPECT_NEAR(loss({{"loss", "mse"}, {"relevance_scale", "20"}}), expected["mse"].get<double>(), 1e-6);
}

TEST(Equations, TripletLossIsNumpys) {
  const Json expected = golden("triplet");
  torch::Tensor features = tensor_of(expected["features"], 3).requires_grad_();
  torch::Tensor twins = tensor_of(expected["twins"], 3).requires_grad_();
  const torch::Tensor loss = triplet_loss(features, twins, 0.5);
  loss.backward();
  EXPECT_NEAR(loss.item<double>(), expected["loss"].get<double>(), 1e-6);
  EXPECT_LT(largest_difference(features.grad(), expected["features_gradient"]), 1e-6);
  EXPECT_LT(largest_difference(twins.grad(), expected["twins_gradient"]), 1e-6);
}

TEST(Equations, TripletLossIsZeroWithoutPairs) {
  EXPECT_EQ(triplet_loss(torch::ones({1, 3}), torch::ones({1, 3}), 0.5).item<float>(), 0);
  EXPECT_EQ(triplet_loss(torch::ones({2, 3}), torch::ones({0, 3}), 0.5).item<float>(), 0);
}

TEST(Equations, SynapticIntelligenceIsNumpys) {
  const Json expected = golden("synaptic");
  std::vector<torch::Tensor> importance;
  for (const Json& task : expected["tasks"]) {
    const std::vector<torch::Tensor> path = vectors_of(task["path"]), gradients = vectors_of(task["gradients"]);
    SynapticIntelligence synaptic({path[0]}, importance);
    for (std::size_t i = 0; i < path.size(); ++i) synaptic.observe({path[i]}, {gradients[i]});
    EXPECT_NEAR(synaptic.penalty({path.back()}), task["penalty"].get<double>(), 1e-5);
    EXPECT_LT(largest_difference(synaptic.penalty_gradient({path.back()})[0], task["penalty_gradient"]), 1e-5);
    importance = synaptic.finish({path.back()}, expected["damping"].get<double>());
    EXPECT_LT(largest_difference(importance[0], task["importance"]), 1e-5);
  }
}

TEST(Equations, ClosedFormTransformationIsNumpys) {
  const Json expected = golden("transformation");
  const torch::Tensor old_features = tensor_of(expected["old"], 4), new_features = tensor_of(expected["new"], 4);
  const torch::Tensor z = ClosedFormTransformation(old_features).fit(new_features);
  EXPECT_LT(largest_difference(z, expected["z"]), 1e-4);
  EXPECT_NEAR(transformation_loss(z, old_features, new_features), expected["loss"].get<double>(), 1e-5);
}

TEST(Equations, ExtractorIsNumpys) {
  const Json expected = golden("extractor");
  const auto extractor = MetaFeatureExtractor::from_flat(3, 2, floats(expected["weights"]));
  EXPECT_EQ(extractor.units(), 8);
  const torch::Tensor feature = extractor.forward(tensor_of(expected["images"], 3).to(torch::kFloat32),
                                                  torch::tensor(floats(expected["statistics"])));
  EXPECT_LT(largest_difference(feature, expected["feature"]), 1e-5);
}

TEST(Equations, GinIsNumpys) {
  const Json expected = golden("gin");
  Rng rng(1);
  const GinEncoder encoder(3, 4, rng);
  unflatten(floats(expected["weights"]), encoder.parameters());
  Graph graph{3, floats(expected["nodes"]), expected["edges"].get<std::vector<std::pair<int, int>>>()};
  EXPECT_LT(largest_difference(encoder.forward(GraphBatch({&graph}, 3)), expected["embedding"]), 1e-5);
}

}  // namespace
}  // namespace hyperfd
