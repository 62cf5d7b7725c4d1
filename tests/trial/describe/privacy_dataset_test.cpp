#include "trial/describe/privacy_dataset.h"

#include <algorithm>
#include <cmath>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/torch.h>

#include "tests/message_of.h"
#include "tests/tuner/temporary_folder.h"
#include "tuner/base/rng.h"
#include "tuner/ranker/extractor_input.h"
#include "tuner/ranker/tensors.h"
#include "tuner/wire/dataset_server.h"

namespace hyperfd {
namespace {

using ::testing::HasSubstr;

constexpr std::int64_t kFeatures = 6, kStatistics = 2, kUnits = 16;

class PrivateDatasetTest : public ::testing::Test {
 protected:
  static torch::Tensor images(std::int64_t count, std::uint64_t seed = 3) {
    Rng rng(seed);
    return uniform_tensor({count, kFeatures}, 1, rng);
  }
  static MetaFeatureExtractor extractor() {
    Rng rng(5);
    return {kFeatures, kStatistics, kUnits, rng};
  }
  PrivacyLedger ledger(double epsilon = 1e6) { return {file_, epsilon, 1e-5}; }
  // Normal numbers of a seed, for a test.
  static std::function<double()> normal(std::uint64_t seed) {
    return [rng = std::make_shared<Rng>(seed)] { return rng->normal(); };
  }

  TemporaryFolder folder_;
  std::string file_ = folder_.file("privacy.jsonl");
  std::vector<float> weights_ = extractor().flat();
  double longest_ = longest_feature(weights_, kUnits);
};

TEST_F(PrivateDatasetTest, WithLittleNoiseIsTheMeanOfItsGroups) {
  PrivacyLedger book = ledger();
  PrivateDataset dataset(images(30), kStatistics, {1e-2, 10}, book, [] { return 0.0; });
  const torch::Tensor all = images(30), statistics = torch::zeros({kStatistics});
  torch::Tensor expected = torch::zeros({kUnits});
  for (int i = 0; i < 3; ++i) expected += extractor().forward(all.slice(0, 10 * i, 10 * i + 10), statistics) / 3;
  const MetaFeaturePair pair = dataset.forward(weights_, 1);
  EXPECT_LT((torch::tensor(pair.feature) - expected).abs().max().item<double>(), 1e-5);
  EXPECT_EQ(pair.twin, pair.feature);
  EXPECT_THROW(dataset.backward(pair), wire::OrderRefused);
}

TEST_F(PrivateDatasetTest, OneImageMovesAnAnswerByNoMoreThanItsSensitivity) {
  for (const float size : {1.0f, 1e6f, std::numeric_limits<float>::quiet_NaN()}) {
    const torch::Tensor one = images(80);
    torch::Tensor other = one.clone();
    other[11] = torch::full({kFeatures}, size);
    const MetaFeaturePair gradient = {std::vector<float>(kUnits, 0.5f), std::vector<float>(kUnits, -0.5f)};
    std::vector<torch::Tensor> features, gradients;
    for (const torch::Tensor& data : {one, other}) {
      PrivacyLedger book = ledger();
      PrivateDataset dataset(data, kStatistics, {1, 8, true, 1}, book, [] { return 0.0; });
      const MetaFeaturePair pair = dataset.forward(weights_, 1);
      features.push_back(torch::cat({torch::tensor(pair.feature), torch::tensor(pair.twin)}));
      gradients.push_back(torch::tensor(dataset.backward(gradient)));
    }
    // Five groups in each half; |gradient| is 2.
    EXPECT_LE((features[0] - features[1]).norm().item<double>(), 2 * longest_ / 5 * 1.0001) << size;
    EXPECT_LE((gradients[0] - gradients[1]).norm().item<double>(), 2 * 2.0 / 5 * 1.0001) << size;
    EXPECT_GT((features[0] - features[1]).norm().item<double>(), 0) << size;
  }
}

TEST_F(PrivateDatasetTest, NoiseHasTheDeviationThatIsAccountedFor) {
  PrivacyLedger book = ledger(1e9);
  PrivateDataset dataset(images(80), kStatistics, {2, 8}, book, normal(9)),
      silent(images(80), kStatistics, {2, 8}, book, [] { return 0.0; });
  const torch::Tensor centre = torch::tensor(silent.forward(weights_, 1).feature);
  double squares = 0;
  constexpr int kRepetitions = 200;
  for (int i = 0; i < kRepetitions; ++i) {
    squares += (torch::tensor(dataset.forward(weights_, 1).feature) - centre).square().sum().item<double>();
  }
  const double deviation = std::sqrt(squares / (kRepetitions * kUnits));
  EXPECT_NEAR(dataset.relative_noise(kUnits), 2 * 2 * 4.0 / 10, 1e-9);
  EXPECT_NEAR(deviation, dataset.relative_noise(kUnits) * longest_ / 4, 0.05 * deviation);
}

TEST_F(PrivateDatasetTest, NoiseRemainsWhereGMakesNextToNothingOfAnImage) {
  std::fill(weights_.end() - 2 * kUnits, weights_.end(), 1e-42F);
  PrivacyLedger book = ledger(1e9);
  PrivateDataset dataset(images(80), kStatistics, {2, 8}, book, normal(9));
  EXPECT_GT(torch::tensor(dataset.forward(weights_, 1).feature).norm().item<double>(), 1e-7);
}

// The strongest attack on one release between two known data sets: threshold the projection on their difference. Its
// hits must not exceed what (ε, δ) allows, by more than chance does (Clopper–Pearson at four deviations, roughly).
double excess_of_attack(const std::string& file, double multiplier, double epsilon) {
  const double delta = 1e-5;
  Rng rng(3);
  const torch::Tensor one = uniform_tensor({16, kFeatures}, 1, rng);
  torch::Tensor other = one.clone();
  other.slice(0, 0, 8).fill_(40);  // as different as one group can be made by one image, and more
  Rng weights_rng(5);
  const std::vector<float> weights = MetaFeatureExtractor(kFeatures, kStatistics, kUnits, weights_rng).flat();
  PrivacyLedger book(file, 1e12, delta);
  const auto noise = [rng2 = std::make_shared<Rng>(11)] { return rng2->normal(); };
  // Two groups of eight: the worst case is φ of opposite signs, which real images seldom reach; so the
  // noise is scaled to the distance that is there.
  PrivateDataset quiet_one(one, kStatistics, {1, 8}, book, [] { return 0.0; });
  PrivateDataset quiet_other(other, kStatistics, {1, 8}, book, [] { return 0.0; });
  const torch::Tensor difference =
      torch::tensor(quiet_other.forward(weights, 1).feature) - torch::tensor(quiet_one.forward(weights, 1).feature);
  const double distance = difference.norm().item<double>(), sensitivity = 2 * longest_feature(weights, kUnits) / 2;
  const double scaled = multiplier * distance / sensitivity;
  PrivateDataset noisy_one(one, kStatistics, {scaled, 8}, book, noise);
  PrivateDataset noisy_other(other, kStatistics, {scaled, 8}, book, noise);
  const torch::Tensor direction = difference / distance;
  const double origin = torch::dot(torch::tensor(quiet_one.forward(weights, 1).feature), direction).item<double>();
  constexpr int kTrials = 3000;
  // How far answers lie on the way from one to the other.
  const auto projections = [&](PrivateDataset& dataset) {
    std::vector<double> found;
    for (int i = 0; i < kTrials; ++i) {
      const double at = torch::dot(torch::tensor(dataset.forward(weights, 1).feature), direction).item<double>();
      found.push_back((at - origin) / distance);
    }
    return found;
  };
  const std::vector<double> of_other = projections(noisy_other), of_one = projections(noisy_one);
  double worst = 0;
  for (const double threshold : {0.5, 1.0, 1.5, 2.0}) {
    const auto share_above = [&](const std::vector<double>& values) {
      const auto count = std::count_if(values.begin(), values.end(), [&](double value) { return value > threshold; });
      return static_cast<double>(count) / kTrials;
    };
    const double p = share_above(of_other), q = share_above(of_one);
    const double slack =
        4 * (std::sqrt(p * (1 - p) / kTrials) + std::exp(epsilon) * std::sqrt((q * (1 - q) + 1e-3) / kTrials));
    worst = std::max(worst, p - (std::exp(epsilon) * q + delta) - slack);
  }
  return worst;
}

TEST_F(PrivateDatasetTest, TheBestAttackStaysWithinTheBudgetAndATenthOfTheNoiseIsFoundOut) {
  const double epsilon = 1, multiplier = noise_multiplier_for(epsilon, 1e-5, 1);
  EXPECT_LE(excess_of_attack(folder_.file("a"), multiplier, epsilon), 0);
  EXPECT_GT(excess_of_attack(folder_.file("b"), multiplier / 10, epsilon), 0) << "the test can fail";
}

TEST_F(PrivateDatasetTest, TheBudgetHoldsOverRuns) {
  const double multiplier = noise_multiplier_for(4, 1e-5, 3);
  for (int run = 0; run < 3; ++run) {
    PrivacyLedger book = ledger(4);
    PrivateDataset dataset(images(80), kStatistics, {multiplier, 8}, book, normal(1));
    dataset.forward(weights_, 1);
    EXPECT_GT(book.spent(), 0);
  }
  PrivacyLedger book = ledger(4);
  EXPECT_LE(book.spent(), 4);
  PrivateDataset dataset(images(80), kStatistics, {multiplier, 8}, book, normal(1));
  EXPECT_THROW(dataset.forward(weights_, 1), wire::OrderRefused);
}

TEST_F(PrivateDatasetTest, ProgramsAtTheSameTimeShareTheBudget) {
  const double multiplier = noise_multiplier_for(4, 1e-5, 3);
  PrivacyLedger one = ledger(4), other = ledger(4);
  one.spend(multiplier);
  other.spend(multiplier);
  one.spend(multiplier);
  EXPECT_LE(one.spent(), 4);
  EXPECT_THROW(other.spend(multiplier), wire::OrderRefused);
  EXPECT_EQ(other.spent(), one.spent());
}

TEST_F(PrivateDatasetTest, ABrokenLedgerIsAnErrorAndNoFreshBudget) {
  std::ofstream(file_) << "{\"noise_multiplier\":2}\n{\"noise\n";
  EXPECT_THAT(message_of([&] { ledger(); }), HasSubstr(file_ + ": line 2"));
}

TEST_F(PrivateDatasetTest, NeedsTwoGroups) {
  PrivacyLedger book = ledger();
  EXPECT_THAT(message_of([&] {
                PrivateDataset(images(15), kStatistics, {1, 8}, book);
              }),
              HasSubstr("expected at least two groups of 8, got 15 images"));
}

TEST(SecretNormal, IsStandardNormal) {
  const auto normal = secret_normal();
  double sum = 0, squares = 0;
  constexpr int kDraws = 20000;
  for (int i = 0; i < kDraws; ++i) {
    const double x = normal();
    sum += x;
    squares += x * x;
  }
  EXPECT_NEAR(sum / kDraws, 0, 0.05);  // seven deviations
  EXPECT_NEAR(squares / kDraws, 1, 0.07);
}

}  // namespace
}  // namespace hyperfd
