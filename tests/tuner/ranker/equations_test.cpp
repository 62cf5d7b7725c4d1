// Every equation against numpy's answer, golden.json.
#include <memory>
#include <optional>
#include <utility>

#include <gmock/gmock.h>
#include <torch/torch.h>

#include "tests/tuner/ranker/golden.h"
#include "tuner/ranker/graph_encoder.h"
#include "tuner/ranker/learner.h"
#include "tuner/ranker/losses.h"
#include "tuner/ranker/meta_feature_extractor.h"
#include "tuner/ranker/ranking_model.h"
#include "tuner/ranker/ranking_model_bytes.h"
#include "tuner/ranker/synaptic_intelligence.h"
#include "tuner/ranker/tensors.h"
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

TEST(Equations, TransformationBySgdIsNumpys) {
  const Json expected = golden("transformation");
  const torch::Tensor old_features = tensor_of(expected["old"], 4).to(torch::kFloat32);
  SgdTransformation sgd(torch::eye(4), 0.05);
  EXPECT_LT(largest_difference(sgd.fit(old_features, tensor_of(expected["new"], 4).to(torch::kFloat32), 20),
                               expected["sgd"][0]),
            1e-4);
  EXPECT_LT(largest_difference(sgd.fit(old_features, tensor_of(expected["moved"], 4).to(torch::kFloat32), 20),
                               expected["sgd"][1]),
            1e-4);
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

// ---- A whole update: Eqs. 1, 3, 5, 8–11 ----

// Rows of three numbers.
std::vector<EncodedConfiguration> configurations_of(const Json& numbers) {
  std::vector<EncodedConfiguration> rows;
  const std::vector<float> all = floats(numbers);
  for (std::size_t i = 0; i < all.size(); i += 3) rows.push_back({{all[i], all[i + 1], all[i + 2]}});
  return rows;
}

// A data set that always answers with the same images: [2, images, features], for φ and φ~.
class FixedImages : public DatasetClient {
 public:
  FixedImages(torch::Tensor images, torch::Tensor statistics)
      : images_(std::move(images)), statistics_(std::move(statistics)) {}

  MetaFeaturePair forward(const std::vector<float>& weights, std::uint64_t) override {
    extractor_ = MetaFeatureExtractor::from_flat(images_.size(2), statistics_.size(0), weights);
    for (torch::Tensor& parameter : extractor_->parameters()) parameter.set_requires_grad(true);
    features_ = extractor_->forward(images_, statistics_);
    return {flatten({features_[0].detach()}), flatten({features_[1].detach()})};
  }

  std::vector<float> backward(const MetaFeaturePair& gradient) override {
    features_.backward(torch::stack({torch::tensor(gradient.feature), torch::tensor(gradient.twin)}));
    std::vector<torch::Tensor> gradients;
    for (const torch::Tensor& weights : extractor_->all_weights())
      gradients.push_back(weights.grad().defined() ? weights.grad() : torch::zeros_like(weights));
    return flatten(gradients);
  }

 private:
  torch::Tensor images_, statistics_, features_;
  std::optional<MetaFeatureExtractor> extractor_;
};

class WholeUpdate : public testing::Test {
 protected:
  WholeUpdate() {
    options_.deviation_penalty = number("deviation_penalty");
    options_.image_penalty = number("image_penalty");
    options_.triplet_weight = number("triplet_weight");
    options_.triplet_margin = number("triplet_margin");
    options_.si_weight = number("si_weight");
    options_.si_damping = number("si_damping");
    options_.learning_rate = number("learning_rate");
    options_.iterations_per_update = static_cast<int>(number("iterations"));
    options_.transformation = TransformationKind::kNone;  // Z stays as it is given
    options_.hidden_units = 4;

    const Json& before = expected_["before"];
    unflatten(floats(before["encoder"]), ranker_.encoder.parameters());
    unflatten(floats(before["mean"]), {ranker_.mean_feature});
    ranker_.extractor = MetaFeatureExtractor::from_flat(3, 2, floats(before["extractor"]));
    ranker_.version = 1;
    ranker_.versions[1] = {torch::zeros({0, 4}), tensor_of(expected_["z"], 4).to(torch::kFloat32)};
    ranker_.seen["old"] = {1, torch::tensor(floats(expected_["stored"]))};
    const std::vector<torch::Tensor> held = ranker_.synaptic_weights();
    for (std::size_t i = 0; i < held.size(); ++i)
      ranker_.importance.push_back(torch::tensor(floats(expected_["importance"][i])).view_as(held[i]));

    for (const Json& task : expected_["tasks"]) {
      TaskExperience experience{task["name"], configurations_of(task["encodings"]), doubles(task["scores"])};
      experience.statistics = doubles(task["numbers"]);
      const std::string role = task["role"];
      experience.role = role == "past" ? TaskRole::kPast : role == "offline" ? TaskRole::kOffline : TaskRole::kCurrent;
      if (experience.role != TaskRole::kPast) {
        datasets_.push_back(std::make_unique<FixedImages>(torch::tensor(floats(task["pictures"])).view({2, 3, 3}),
                                                          torch::tensor(floats(task["image_statistics"]))));
        experience.dataset = datasets_.back().get();
      }
      experience_.push_back(std::move(experience));
    }
  }

  double number(const char* option) const { return expected_["options"][option].get<double>(); }

  const Json expected_ = golden("update");
  RankerOptions options_;
  Rng rng_{1};
  Ranker ranker_{EncodingShape{3, 0}, 4, rng_};
  std::vector<std::unique_ptr<DatasetClient>> datasets_;
  std::vector<TaskExperience> experience_;
};

TEST_F(WholeUpdate, IsNumpys) {
  constexpr float kTolerance = 5e-5f;  // of weights that move by 0.04
  ASSERT_TRUE(learn(ranker_, experience_, options_, /*warm_up=*/false, rng_));
  const Json& after = expected_["after"];
  EXPECT_LT(largest_difference(ranker_.mean_feature, after["mean"]), kTolerance);
  EXPECT_LT(largest_difference(ranker_.deviations, after["deviations"]), kTolerance);
  EXPECT_LT(largest_difference(ranker_.number_map, after["map"]), kTolerance);
  for (std::size_t i = 0; i < ranker_.importance.size(); ++i)
    EXPECT_LT(largest_difference(ranker_.importance[i], expected_["importance_after"][i]), kTolerance);
  EXPECT_LT(largest_difference(ranker_.seen.at("new").feature, expected_["feature_after"]), kTolerance);
  // G's bias of keys and H's last bias change no ranking: their gradients are rounding, and Adam makes steps of that.
  const auto without = [](const std::vector<float>& weights, std::ptrdiff_t begin) {
    std::vector<float> rest(weights.begin(), weights.begin() + begin);
    rest.insert(rest.end(), weights.begin() + begin + 4, weights.end());
    return rest;
  };
  constexpr std::ptrdiff_t kKeyBias = 2 * 5 + (4 * 5 + 4) + 3 * 4 * 4 + 4, kLastBias = (4 * 3 + 4) + 4 * 4;
  EXPECT_THAT(without(flatten(ranker_.extractor->all_weights()), kKeyBias),
              testing::Pointwise(testing::FloatNear(kTolerance), without(floats(after["extractor"]), kKeyBias)));
  EXPECT_THAT(without(flatten(ranker_.encoder.parameters()), kLastBias),
              testing::Pointwise(testing::FloatNear(kTolerance), without(floats(after["encoder"]), kLastBias)));

  // Eq. 1 with what came out.
  TaskExperience own;
  own.task = "new";
  own.statistics = experience_[2].statistics;
  own.feature = floats(expected_["feature_after"]);
  const auto model = RankingModel::deserialize(ranking_model_to_bytes({options_, ranker_, true}), options_);
  const std::vector<float> rows = floats(expected_["tasks"][0]["encodings"]);
  const torch::Tensor scores = torch::tensor(model.score_flat(own, rows.data(), rows.size() / 3));
  EXPECT_LT(largest_difference(scores - scores[0], expected_["scores_after"]), 1e-3);
}

}  // namespace
}  // namespace hyperfd
