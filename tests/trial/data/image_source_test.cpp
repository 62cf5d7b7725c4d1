#include "trial/data/image_source.h"

#include <atomic>

#include <gtest/gtest.h>

namespace hyperfd {
namespace {

// Images of 10 × 10 pixels (300 bytes) whose value is their index; counts reads.
class CountingSource : public ImageSource {
 public:
  explicit CountingSource(int& reads) : reads_(reads) {}
  std::size_t size() const override { return 5; }
  cv::Mat get(std::size_t index) override {
    ++reads_;
    return cv::Mat(10, 10, CV_8UC3, cv::Scalar::all(static_cast<double>(index)));
  }

 private:
  int& reads_;
};

TEST(CachedImages, ReadsOnceWhatFitsAndAgainWhatDoesNot) {
  int reads = 0;
  const auto cache = cached_images(std::make_unique<CountingSource>(reads), 3 * 300 + 299);
  for (int epoch = 0; epoch < 2; ++epoch) {
    for (std::size_t i = 0; i < 5; ++i) EXPECT_EQ(cache->get(i).at<cv::Vec3b>(9, 9)[0], i);
  }
  EXPECT_EQ(reads, 5 + 2);
  EXPECT_EQ(cache->size(), 5u);
}

TEST(CachedImages, KeepsNothingWithoutABudget) {
  int reads = 0;
  const auto cache = cached_images(std::make_unique<CountingSource>(reads), 0);
  for (int i = 0; i < 3; ++i) cache->get(1);
  EXPECT_EQ(reads, 3);
}

}  // namespace
}  // namespace hyperfd
