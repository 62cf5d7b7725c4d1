#include "trial/describe/remote_dataset.h"

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
  const RemoteDataset dataset(features(), {}, ledger_);
  EXPECT_EQ(dataset.about().images, 64);
  EXPECT_EQ(dataset.about().image_features, 6);
  EXPECT_EQ(dataset.about().statistics[1].value, 6.5);
  EXPECT_FALSE(dataset.about().updates.has_value());
  EXPECT_THAT(dataset.report(), HasSubstr("boxes=6.5"));
  Rng rng(5);
  const std::size_t weights = MetaFeatureExtractor(6, 2, RankerOptions().hidden_units, rng).flat().size();
  EXPECT_THAT(dataset.report(), HasSubstr("and " + std::to_string(weights) + " numbers, the gradient"));
}

TEST_F(RemoteDatasetTest, APrivateOneWithholdsStatisticsAndGradients) {
  Disclosure disclosure;
  disclosure.is_private = true;
  const RemoteDataset dataset(features(), disclosure, ledger_);
  EXPECT_FALSE(dataset.about().statistics[1].value.has_value());
  EXPECT_EQ(dataset.about().updates, false);
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

TEST_F(RemoteDatasetTest, SmallDatasetsAreNotShared) {
  EXPECT_THAT(message_of([&] { RemoteDataset(features(19), {}, ledger_); }),
              HasSubstr("images: 19, and data sets of fewer than 20 are not shared"));
}

}  // namespace
}  // namespace hyperfd
