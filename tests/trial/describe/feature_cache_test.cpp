#include "trial/describe/feature_cache.h"

#include <filesystem>

#include <gmock/gmock.h>

#include "tests/trial/training/square_faces.h"
#include "trial/describe/describe.h"
#include "tuner/base/error.h"

namespace fs = std::filesystem;

namespace hyperfd {
namespace {

// Says the image's name by numbers, and counts what it is asked.
class CountingDescriber : public ImageDescriber {
 public:
  explicit CountingDescriber(int& asked, int version = 1) : asked_(asked), version_(version) {}
  Json identity() const override { return {{"version", version_}}; }
  std::int64_t size() const override { return 2; }
  ImageDescription describe(const std::string&, const AnnotatedImage& image) override {
    ++asked_;
    if (image.file == unreadable) throw InputError(image.file + ": cut off");
    ImageDescription description;
    description.features = {static_cast<float>(image.file.size()), static_cast<float>(image.file[7] - '0')};
    description.face_sizes.assign(image.faces.size(), 0.25f);
    description.outcome = {1.5f, 2.5f, 0.125f, 3, 2, 1, {{0.75f, true}, {0.5f, false}}};
    return description;
  }

  static inline std::string unreadable;

 private:
  int& asked_;
  int version_;
};

class FeatureCaching : public ::testing::Test {
 protected:
  FeatureCaching() : faces_("hyperfd_feature_cache", 8, 0, 0), cache_(faces_.folder() + "/.hyperfd/cache") {
    CountingDescriber::unreadable.clear();
    Warnings warnings;
    images_ = FaceDataset::load(faces_.folder(), warnings).images();
  }

  // How many images were described anew.
  int describe(int version = 1) {
    int asked = 0;
    const auto describer = cached_describer(std::make_unique<CountingDescriber>(asked, version), cache_);
    DescribeOptions options;
    options.landmarks = true;
    warnings_ = Warnings();
    features_ = describe_images(faces_.folder(), images_, *describer, options, warnings_, {});
    return asked;
  }

  SquareFaces faces_;
  std::string cache_;
  std::vector<AnnotatedImage> images_;
  Warnings warnings_;
  DatasetFeatures features_;
};

TEST_F(FeatureCaching, DescribesOnlyWhatIsNewOrChanged) {
  const std::vector<AnnotatedImage> all = images_;
  images_.resize(6);
  EXPECT_EQ(describe(), 6);
  EXPECT_EQ(describe(), 0);
  images_ = all;
  EXPECT_EQ(describe(), 2);
  const std::string before = features_.serialize();
  EXPECT_EQ(describe(), 0);
  EXPECT_EQ(features_.serialize(), before);

  images_[0].faces.at(0).box.width += 1;
  EXPECT_EQ(describe(), 1);
  images_[1].make_pixels = [] { return cv::Mat(4, 6, CV_8UC3, cv::Scalar(1, 2, 3)); };
  EXPECT_EQ(describe(), 1);
  images_[1].make_pixels = [] { return cv::Mat(6, 4, CV_8UC3, cv::Scalar(1, 2, 3)); };
  EXPECT_EQ(describe(), 1);
  fs::copy_file(faces_.folder() + "/images/7.png", faces_.folder() + "/images/3.png",
                fs::copy_options::overwrite_existing);
  EXPECT_EQ(describe(), 1);
  EXPECT_EQ(describe(), 0);
}

TEST_F(FeatureCaching, TheSameImageUnderAnotherNameIsKnown) {
  AnnotatedImage twin = images_[1];
  const AnnotatedImage image = images_[0];
  fs::copy_file(faces_.folder() + "/" + image.file, faces_.folder() + "/" + twin.file,
                fs::copy_options::overwrite_existing);
  twin.faces = image.faces;
  EXPECT_EQ(description_key(faces_.folder(), image), description_key(faces_.folder(), twin));
}

TEST_F(FeatureCaching, AnotherDescriberStartsAnew) {
  EXPECT_EQ(describe(), 8);
  EXPECT_EQ(describe(2), 8);
  EXPECT_NE(feature_cache_file(faces_.folder(), {{"version", 1}}),
            feature_cache_file(faces_.folder(), {{"version", 2}}));
}

TEST_F(FeatureCaching, ADamagedCacheIsLikeNone) {
  describe();
  const std::string good = read_file(cache_), expected = features_.serialize();
  for (std::size_t i = 0; i < good.size(); i += 37) {
    std::string damaged = good;
    damaged[i] = static_cast<char>(damaged[i] ^ 1);
    write_file_atomically(cache_, damaged);
    EXPECT_EQ(describe(), 8) << i;
    write_file_atomically(cache_, good.substr(0, i));
    EXPECT_EQ(describe(), 8) << i;
    EXPECT_EQ(features_.serialize(), expected);
  }
}

TEST_F(FeatureCaching, WhatNobodyAsksForGoesOnceItIsTheLargerPart) {
  const std::vector<AnnotatedImage> all = images_;
  describe();
  images_ = {all[0]};
  images_[0].faces.clear();
  describe();  // 8 of 9 unused
  images_ = all;
  EXPECT_EQ(describe(), 8);
  images_[0].faces.clear();
  EXPECT_EQ(describe(), 0) << "1 of 9 unused: kept";
}

TEST_F(FeatureCaching, UnreadableImagesAreLeftOutAndTriedAgain) {
  CountingDescriber::unreadable = images_[2].file;
  EXPECT_EQ(describe(), 8);
  EXPECT_EQ(features_.images.size(0), 7);
  EXPECT_EQ(warnings_.count("unreadable images left out"), 1u);
  EXPECT_EQ(describe(), 1);
  images_ = {images_[2]};
  EXPECT_THROW(describe(), InputError);
}

TEST_F(FeatureCaching, LiesBesideTheDataSetOrWithTheUserWhereNobodyMayWrite) {
  const std::string beside = feature_cache_file(faces_.folder(), {});
  EXPECT_THAT(beside, ::testing::StartsWith(faces_.folder() + "/.hyperfd/features_"));
  ::setenv("XDG_CACHE_HOME", "/tmp/somebody", 1);
  fs::permissions(faces_.folder(), fs::perms::owner_write | fs::perms::group_write | fs::perms::others_write,
                  fs::perm_options::remove);
  EXPECT_THAT(feature_cache_file(faces_.folder(), {}), ::testing::StartsWith("/tmp/somebody/hyperfd/"));
  fs::permissions(faces_.folder(), fs::perms::owner_write, fs::perm_options::add);
}

TEST_F(FeatureCaching, ACacheThatCannotBeWrittenStopsNothing) {
  write_file_atomically(faces_.folder() + "/file", "");
  cache_ = faces_.folder() + "/file/cache";
  EXPECT_EQ(describe(), 8);
  EXPECT_EQ(features_.images.size(0), 8);
}

}  // namespace
}  // namespace hyperfd
