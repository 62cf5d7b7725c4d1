#include "trial/data/loader.h"

#include <chrono>
#include <numeric>
#include <set>
#include <thread>

#include <gmock/gmock.h>
#include <opencv2/imgproc.hpp>

#include "tests/trial/data/temporary_dataset.h"
#include "tuner/base/digest.h"

namespace hyperfd {
namespace {

using testing::HasSubstr;

// Images in memory: number i has grey value 10 · i and a face; those named broken throw as a bad file does.
class MemoryImages : public ImageSource {
 public:
  MemoryImages(std::size_t count, std::set<std::size_t> broken) : count_(count), broken_(std::move(broken)) {}
  std::size_t size() const override { return count_; }
  cv::Mat get(std::size_t index) override {
    if (broken_.count(index)) throw InputError("image " + std::to_string(index) + ": broken");
    return cv::Mat(48, 64, CV_8UC3, cv::Scalar::all(10.0 * static_cast<double>(index)));
  }

 private:
  std::size_t count_;
  std::set<std::size_t> broken_;
};

std::vector<AnnotatedImage> annotated(std::size_t count) {
  std::vector<AnnotatedImage> images(count);
  for (std::size_t i = 0; i < count; ++i) {
    images[i].file = std::to_string(i);
    images[i].width = 64;
    images[i].height = 48;
    images[i].faces = {{{10, 10, 12, 12}, false, std::nullopt}};
  }
  return images;
}

LoaderOptions options_of(int workers, int batch_size = 4) {
  LoaderOptions options;
  options.batch_size = batch_size;
  options.workers = workers;
  options.prefetch = 2;
  options.augmentation.crop_size = 32;
  return options;
}

std::unique_ptr<TrainingLoader> loader_of(std::size_t images, const LoaderOptions& options,
                                          std::set<std::size_t> broken = {}) {
  return std::make_unique<TrainingLoader>(std::make_unique<MemoryImages>(images, std::move(broken)), annotated(images),
                                          options);
}

// Everything in the batches of an epoch, to the last bit.
std::string digest_of_epoch(TrainingLoader& loader, std::uint64_t epoch) {
  loader.start_epoch(epoch);
  std::string content;
  Batch batch;
  while (loader.next(batch)) {
    content.append(reinterpret_cast<const char*>(batch.pixels.data), batch.pixels.total() * batch.pixels.elemSize());
    for (const auto& faces : batch.faces) {
      for (const Face& face : faces) content.append(reinterpret_cast<const char*>(&face.box), sizeof(face.box));
    }
  }
  return sha256(content);
}

// Which images an epoch shows, in order, by their grey value.
std::vector<int> images_of_epoch(TrainingLoader& loader, std::uint64_t epoch) {
  loader.start_epoch(epoch);
  std::vector<int> images;
  Batch batch;
  while (loader.next(batch)) {
    for (int i = 0; i < batch.pixels.size[0]; ++i) images.push_back((*batch.pixels.ptr<uchar>(i) + 5) / 10);
  }
  return images;
}

TEST(TrainingLoader, GivesTheSameBatchesWithAnyNumberOfWorkers) {
  const auto reference = loader_of(11, options_of(0));
  const std::string first = digest_of_epoch(*reference, 0), second = digest_of_epoch(*reference, 1);
  EXPECT_NE(first, second);
  for (const int workers : {1, 2, 5}) {
    const auto loader = loader_of(11, options_of(workers));
    EXPECT_EQ(digest_of_epoch(*loader, 0), first) << workers;
    EXPECT_EQ(digest_of_epoch(*loader, 1), second) << workers;
  }
}

TEST(TrainingLoader, ResumesAtAnyEpoch) {
  const auto whole = loader_of(11, options_of(1));
  for (std::uint64_t epoch = 0; epoch < 3; ++epoch) digest_of_epoch(*whole, epoch);
  const std::string third = digest_of_epoch(*whole, 3);
  EXPECT_EQ(digest_of_epoch(*loader_of(11, options_of(2)), 3), third);
  EXPECT_EQ(digest_of_epoch(*whole, 3), third) << "started again";
}

TEST(TrainingLoader, CanLeaveAnEpochInTheMiddle) {
  const auto loader = loader_of(11, options_of(3));
  const std::string first = digest_of_epoch(*loader_of(11, options_of(0)), 0);
  loader->start_epoch(5);
  Batch batch;
  ASSERT_TRUE(loader->next(batch));
  EXPECT_EQ(digest_of_epoch(*loader, 0), first);
}

TEST(TrainingLoader, SeedChangesEverything) {
  LoaderOptions options = options_of(0);
  const std::string first = digest_of_epoch(*loader_of(11, options), 0);
  options.seed = 2;
  EXPECT_NE(digest_of_epoch(*loader_of(11, options), 0), first);
}

TEST(TrainingLoader, ShowsEveryImageAndFillsTheLastBatch) {
  LoaderOptions options = options_of(1);
  options.augmentation.colour = false;
  const auto loader = loader_of(10, options);
  EXPECT_EQ(loader->batches_per_epoch(), 3u);
  const std::vector<int> images = images_of_epoch(*loader, 0);
  ASSERT_EQ(images.size(), 12u);
  EXPECT_EQ(std::set<int>(images.begin(), images.begin() + 10).size(), 10u);
  EXPECT_EQ(images[10], images[0]);
  EXPECT_EQ(images[11], images[1]);
  EXPECT_NE(images_of_epoch(*loader, 1), images);
}

TEST(TrainingLoader, FillsABatchFromFewerImages) {
  const auto loader = loader_of(3, options_of(1, 8));
  loader->start_epoch(0);
  Batch batch;
  ASSERT_TRUE(loader->next(batch));
  EXPECT_EQ(batch.pixels.size[0], 8);
  EXPECT_EQ(batch.faces.size(), 8u);
  EXPECT_TRUE(batch.pixels.isContinuous());
  EXPECT_FALSE(loader->next(batch));
}

TEST(TrainingLoader, GivesNothingBeforeAnEpochIsStarted) {
  Batch batch;
  EXPECT_FALSE(loader_of(3, options_of(1))->next(batch));
}

TEST(TrainingLoader, ReplacesUnreadableImagesAndCountsEachOnce) {
  LoaderOptions options = options_of(2);
  options.augmentation.colour = false;
  const auto loader = loader_of(8, options, {2, 5});
  for (std::uint64_t epoch = 0; epoch < 3; ++epoch) {
    const std::vector<int> images = images_of_epoch(*loader, epoch);
    EXPECT_EQ(images.size(), 8u);
    EXPECT_THAT(images, testing::Each(testing::AllOf(testing::Ne(2), testing::Ne(5))));
  }
  EXPECT_EQ(loader->warnings().count("unreadable images, skipped"), 2u);
  EXPECT_EQ(digest_of_epoch(*loader, 0), digest_of_epoch(*loader_of(8,
                                                                    [&] {
                                                                      options.workers = 0;
                                                                      return options;
                                                                    }(),
                                                                    {2, 5}),
                                                         0));
}

TEST(TrainingLoader, ThrowsWhenNothingCanBeRead) {
  for (const int workers : {0, 2}) {
    const auto loader = loader_of(3, options_of(workers), {0, 1, 2});
    loader->start_epoch(0);
    Batch batch;
    EXPECT_THAT(input_error_of([&] { loader->next(batch); }), HasSubstr("none of the 3 training images can be read"));
  }
}

TEST(TrainingLoader, CountsImagesOfAnotherSizeThanAnnotated) {
  auto images = annotated(2);
  images[1].width = 640;
  TrainingLoader loader(std::make_unique<MemoryImages>(2, std::set<std::size_t>{}), images, options_of(0));
  digest_of_epoch(loader, 0);
  EXPECT_THAT(
      loader.warnings().lines(),
      testing::ElementsAre("1 images of another size than annotated, boxes may be off (1: 64x48, annotated 640x48)"));
}

TEST(TrainingLoader, NamesOptionsOutOfRange) {
  const auto message = [](auto change) {
    LoaderOptions options = options_of(1);
    change(options);
    return input_error_of([&] { loader_of(3, options); });
  };
  EXPECT_EQ(message([](LoaderOptions& o) { o.batch_size = 0; }), "batch_size: expected a number > 0, got 0");
  EXPECT_EQ(message([](LoaderOptions& o) { o.workers = -1; }), "workers: expected a number >= 0, got -1");
  EXPECT_THAT(message([](LoaderOptions& o) { o.augmentation.minimum_crop_ratio = 1.5f; }),
              HasSubstr("minimum_crop_ratio: expected a number in (0, 1], got 1.5"));
  EXPECT_THAT(input_error_of([] { loader_of(0, options_of(1)); }), HasSubstr("at least one"));
}

TEST(TrainingLoader, StopsWhileWorkersAreBusy) {
  for (int i = 0; i < 20; ++i) {
    const auto loader = loader_of(50, options_of(3));
    loader->start_epoch(0);
    Batch batch;
    if (i % 2) loader->next(batch);
  }
}

TEST(TrainingLoader, MetersTheWaits) {
  const auto loader = loader_of(8, options_of(0));
  EXPECT_EQ(loader->seconds_waited(), 0);
  digest_of_epoch(*loader, 0);
  EXPECT_GT(loader->seconds_waited(), 0);

  // Batches made while the caller was busy cost no wait.
  const auto ahead = loader_of(8, options_of(1));
  ahead->start_epoch(0);
  Batch batch;
  ahead->next(batch);
  const double before = ahead->seconds_waited();
  std::this_thread::sleep_for(std::chrono::milliseconds(500));
  ASSERT_TRUE(ahead->next(batch));
  EXPECT_EQ(ahead->seconds_waited(), before);
}

TEST(TrainingLoader, ReadsFilesOfAFolder) {
  const TemporaryDataset data;
  std::vector<AnnotatedImage> images(3);
  for (std::size_t i = 0; i < images.size(); ++i) {
    images[i].file = "images/" + std::to_string(i) + ".png";
    data.write_image(images[i].file, cv::Mat(40, 40, CV_8UC3, cv::Scalar::all(50.0 * static_cast<double>(i))));
  }
  data.write("images/1.png", "broken");
  LoaderOptions options = options_of(1);
  options.augmentation.colour = false;
  TrainingLoader loader(data.folder(), images, options);
  const std::vector<int> shown = images_of_epoch(loader, 0);
  EXPECT_EQ(std::set<int>(shown.begin(), shown.end()), (std::set<int>{0, 10}));
  EXPECT_THAT(loader.warnings().lines().at(0), HasSubstr(data.folder() + "/images/1.png"));
}

}  // namespace
}  // namespace hyperfd
