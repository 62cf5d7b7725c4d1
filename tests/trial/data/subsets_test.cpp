#include "trial/data/subsets.h"

#include <gmock/gmock.h>
#include <opencv2/imgproc.hpp>

#include "tests/trial/data/temporary_dataset.h"
#include "trial/data/image_statistics.h"

namespace hyperfd {
namespace {

using testing::ElementsAre;
using testing::FloatNear;
using testing::HasSubstr;
using testing::SizeIs;

// 100 images, split 6:1:3 in turn.
std::vector<AnnotatedImage> hundred_images() {
  std::vector<AnnotatedImage> images(100);
  for (std::size_t i = 0; i < images.size(); ++i)
    images[i].split = i % 10 < 6 ? Split::kTrain : i % 10 < 7 ? Split::kValidation : Split::kTest;
  return images;
}

// Image i is in group i / size.
Clustering blocks(const std::string& name, std::size_t size) {
  Clustering clustering{name, std::vector<int>(100)};
  for (std::size_t i = 0; i < 100; ++i) clustering.labels[i] = static_cast<int>(i / size);
  return clustering;
}

SubsetOptions at_least(std::size_t minimum) {
  SubsetOptions options;
  options.minimum = minimum;
  return options;
}

TEST(Subsets, AreTheGroupsOfAllClusterings) {
  SubsetCounts counts;
  const auto subsets = choose_subsets(hundred_images(), {blocks("a", 50), blocks("b", 20)}, at_least(20), counts);
  ASSERT_THAT(subsets, SizeIs(7));
  EXPECT_EQ(subsets[1].name, "a_c1");
  EXPECT_EQ(subsets[1].images.front(), 50u);
  EXPECT_EQ(subsets[1].images.size(), 50u);
  EXPECT_EQ(counts.groups, 7u);
}

TEST(Subsets, SmallOnesAndThoseOfAlmostAllImagesAreDropped) {
  Clustering uneven = blocks("a", 90);
  SubsetCounts counts;
  EXPECT_THAT(choose_subsets(hundred_images(), {uneven}, at_least(20), counts), SizeIs(0));
  EXPECT_EQ(counts.wrong_size, 2u);
  EXPECT_EQ(smallest_subset(32203, {}), 800u);
  EXPECT_EQ(smallest_subset(2202, {}), 100u);
}

TEST(Subsets, ThoseWithAnotherSplitAreDropped) {
  Clustering by_split{"a", std::vector<int>(100)};
  for (std::size_t i = 0; i < 100; ++i) by_split.labels[i] = i % 10 < 5 ? 0 : 1;
  SubsetCounts counts;
  EXPECT_THAT(choose_subsets(hundred_images(), {by_split}, at_least(20), counts), SizeIs(0));
  EXPECT_EQ(counts.unbalanced, 2u);
}

TEST(Subsets, NearDuplicatesAndImagesInNoGroupAreLeftOut) {
  Clustering almost = blocks("b", 50);
  for (std::size_t i = 0; i < 5; ++i) almost.labels[i] = -1;  // 45 of 50 in common
  SubsetCounts counts;
  const auto subsets = choose_subsets(hundred_images(), {blocks("a", 50), almost}, at_least(20), counts);
  ASSERT_THAT(subsets, SizeIs(2));
  EXPECT_EQ(counts.groups, 4u);
  EXPECT_EQ(counts.duplicates, 2u);
  for (std::size_t i = 0; i < 20; ++i) almost.labels[i] = -1;  // 30 of 50
  EXPECT_THAT(choose_subsets(hundred_images(), {blocks("a", 50), almost}, at_least(20), counts), SizeIs(3));
}

TEST(Subsets, SamplesAreReproducible) {
  SubsetOptions options = at_least(20);
  options.most_subsets = 3;
  options.most_images = 10;
  SubsetCounts counts;
  const auto first = choose_subsets(hundred_images(), {blocks("a", 50), blocks("b", 20)}, options, counts);
  const auto again = choose_subsets(hundred_images(), {blocks("a", 50), blocks("b", 20)}, options, counts);
  ASSERT_THAT(first, SizeIs(3));
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(first[i].name, again[i].name);
    EXPECT_EQ(first[i].images, again[i].images);
    EXPECT_THAT(first[i].images, SizeIs(10));
    EXPECT_TRUE(std::is_sorted(first[i].images.begin(), first[i].images.end()));
  }
}

TEST(Subsets, LabelsMustFitTheImages) {
  SubsetCounts counts;
  EXPECT_THAT(input_error_of([&] {
                choose_subsets(hundred_images(), {{"a", {0, 1}}}, {}, counts);
              }),
              HasSubstr("a: expected a label for each of 100 images, got 2"));
}

// scipy.stats.describe([.1, .2, .4, .4]) gives these numbers.
TEST(ImageStatistics, LabelsAreDescribedAsScipyDoes) {
  std::vector<Face> faces;
  for (const float side : {10.0f, 20.0f, 40.0f, 40.0f}) faces.push_back({{0, 0, side, side}, false, std::nullopt});
  const std::vector<float> described = label_statistics(faces, {100, 100});
  const auto near = [](float value) { return FloatNear(value, 1e-5f); };
  EXPECT_THAT(described, ElementsAre(near(4), near(0.1f), near(0.4f), near(0.275f), near(0.0225f), near(-0.2138334f),
                                     near(-1.7201646f)));
  EXPECT_THAT(label_statistics({}, {100, 100}), SizeIs(7));
}

TEST(ImageStatistics, ColoursAndEdgesShow) {
  cv::Mat red(40, 40, CV_8UC3, cv::Scalar(0, 0, 255)), stripes = cv::Mat::zeros(40, 40, CV_8UC3);
  for (int x = 0; x < 40; x += 4) stripes.colRange(x, x + 2).setTo(cv::Scalar::all(255));
  EXPECT_FLOAT_EQ(colour_statistics(red).at(6), 1) << "all of it is red";
  EXPECT_FLOAT_EQ(gradient_statistics(stripes).at(0), 1) << "all gradients are horizontal";
  EXPECT_GT(gradient_statistics(stripes).back(), gradient_statistics(red).back());
}

}  // namespace
}  // namespace hyperfd
