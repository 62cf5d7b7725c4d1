#include "trial/describe/remote_dataset.h"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/torch.h>

#include "tests/message_of.h"
#include "tests/tuner/temporary_folder.h"
#include "tuner/base/rng.h"
#include "tuner/ranker/ranker_options.h"
#include "tuner/ranker/tensors.h"

namespace hyperfd {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

DatasetFeatures features(std::int64_t images = 64) {
  Rng rng(3);
  return {
      std::string(64, 'a'), to_half_precision(uniform_tensor({images, 6}, 1, rng)), {"images", "boxes"}, {4.25, 6.5}};
}

class RemoteDatasetTest : public ::testing::Test {
 protected:
  TemporaryFolder folder_;
  std::string ledger_ = folder_.file("privacy.jsonl");
};

TEST_F(RemoteDatasetTest, SharesStatisticsAsThePaperDoes) {
  RemoteDataset dataset(features(), {}, ledger_);
  EXPECT_EQ(dataset.open().images, 64);
  EXPECT_EQ(dataset.open().image_features, 6);
  EXPECT_EQ(dataset.open().statistics[1].value, 6.5);
  EXPECT_FALSE(dataset.open().updates.has_value());
  EXPECT_THAT(dataset.report(), HasSubstr("boxes=6.5"));
  Rng rng(5);
  const std::size_t weights = MetaFeatureExtractor(6, 2, RankerOptions().hidden_units, rng).flat().size();
  EXPECT_THAT(dataset.report(), HasSubstr("and " + std::to_string(weights) + " numbers, the gradient"));
}

TEST_F(RemoteDatasetTest, APrivateOneWithholdsStatisticsAndGradients) {
  Disclosure disclosure;
  disclosure.is_private = true;
  RemoteDataset dataset(features(), disclosure, ledger_);
  EXPECT_FALSE(dataset.open().statistics[1].value.has_value());
  EXPECT_EQ(dataset.open().updates, false);
  EXPECT_THAT(dataset.report(), HasSubstr("boxes (withheld)"));
  EXPECT_THAT(dataset.report(), Not(HasSubstr("6.5")));
  EXPECT_THAT(dataset.report(), HasSubstr("epsilon 0 spent before, 4 at most in all, delta 1e-05"));
}

TEST_F(RemoteDatasetTest, GivesSoManyPrivateAnswersAndIsThenRefused) {
  Disclosure disclosure;
  disclosure.is_private = true;
  disclosure.releases = 3;
  Rng rng(5);
  const std::vector<float> weights = MetaFeatureExtractor(6, 2, 16, rng).flat();
  RemoteDataset dataset(features(), disclosure, ledger_);
  for (int i = 0; i < 3; ++i) dataset.client().forward(weights, 1);
  EXPECT_THROW(dataset.client().forward(weights, 1), Error);
  EXPECT_THAT(message_of([&] { RemoteDataset(features(), disclosure, ledger_); }), HasSubstr("no answer is left"));
}

DatasetFeatures counted_features(std::vector<std::int64_t> face_counts) {
  DatasetFeatures all = features();
  all.statistic_names = {kLogImages, kLogBoxes};
  all.statistics = {std::log1p(64.0), std::log1p(1000.0)};
  all.face_counts = std::move(face_counts);
  return all;
}

TEST_F(RemoteDatasetTest, APrivateOneTellsItsFacesWithNoiseForThePriceOfOneAnswer) {
  Disclosure disclosure;
  disclosure.is_private = true;
  disclosure.epsilon = 100;
  std::vector<std::int64_t> faces(64, 10);
  faces[7] = 1'000'000;  // counts as 20
  double told = 0, spent = 0;
  {
    RemoteDataset dataset(counted_features(faces), disclosure, ledger_);
    EXPECT_THAT(dataset.report(), HasSubstr("log1p(images)=4.17"));
    EXPECT_THAT(dataset.report(), HasSubstr("log1p(boxes) (of the number of faces, 20 an image at most, with noise"));
    EXPECT_THAT(dataset.report(), HasSubstr("epsilon 0 spent before"));
    EXPECT_EQ(dataset.open().statistics[0].value, std::log1p(64.0));
    told = dataset.open().statistics[1].value.value();
    EXPECT_NEAR(told, std::log1p(650), 0.5);
    EXPECT_NE(told, std::log1p(650));
    spent = PrivacyLedger(ledger_, 100, 1e-5).spent();
    EXPECT_GT(spent, 0);
  }
  RemoteDataset again(counted_features(faces), disclosure, ledger_);
  EXPECT_EQ(again.open().statistics[1].value, told);
  EXPECT_EQ(PrivacyLedger(ledger_, 100, 1e-5).spent(), spent);
  Rng rng(5);
  const std::vector<float> weights = MetaFeatureExtractor(6, 2, 16, rng).flat();
  for (int i = 0; i < 4; ++i) again.client().forward(weights, 1);
  EXPECT_THROW(again.client().forward(weights, 1), Error);
  EXPECT_LE(PrivacyLedger(ledger_, 100, 1e-5).spent(), 100);

  faces[3] = 4;  // other faces are a number of their own, and nothing is left for it
  EXPECT_THROW(RemoteDataset(counted_features(faces), disclosure, ledger_), InputError);
}

TEST_F(RemoteDatasetTest, OneImageMovesTheNumberOfFacesByNoMoreThanItsSensitivity) {
  Disclosure disclosure;
  disclosure.is_private = true;
  disclosure.epsilon = 1000;  // noise of about half a face
  std::vector<std::int64_t> one(64, 10), other = one;
  one[5] = 0;
  other[5] = 1'000'000;
  RemoteDataset without(counted_features(one), disclosure, folder_.file("one")),
      with(counted_features(other), disclosure, folder_.file("other"));
  const double difference =
      std::exp(with.open().statistics[1].value.value()) - std::exp(without.open().statistics[1].value.value());
  EXPECT_NEAR(difference, 20, 15);
}

TEST_F(RemoteDatasetTest, GReadsTheNumbersThatWereTold) {
  Disclosure disclosure;
  disclosure.is_private = true;
  disclosure.epsilon = 1e9;  // next to no noise
  Rng rng(5);
  const std::vector<float> weights = MetaFeatureExtractor(6, 2, 16, rng).flat();
  RemoteDataset few(counted_features(std::vector<std::int64_t>(64, 1)), disclosure, folder_.file("few")),
      many(counted_features(std::vector<std::int64_t>(64, 19)), disclosure, folder_.file("many"));
  few.open();
  many.open();
  const auto distance = (torch::tensor(few.client().forward(weights, 1).feature) -
                         torch::tensor(many.client().forward(weights, 1).feature))
                            .norm()
                            .item<double>();
  EXPECT_GT(distance, 0.01);
}

TEST_F(RemoteDatasetTest, SmallDatasetsAreNotShared) {
  EXPECT_THAT(message_of([&] { RemoteDataset(features(19), {}, ledger_); }),
              HasSubstr("images: 19, and data sets of fewer than 20 are not shared"));
}

}  // namespace
}  // namespace hyperfd
