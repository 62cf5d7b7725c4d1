#include "trial/data/derived_dataset.h"

#include <gmock/gmock.h>

#include "tests/trial/data/temporary_dataset.h"
#include "trial/data/image_source.h"
#include "trial/data/loader.h"
#include "trial/data/materialise.h"
#include "trial/data/shifted_tasks.h"
#include "tuner/base/digest.h"

namespace hyperfd {
namespace {

using testing::HasSubstr;
using testing::SizeIs;

// A source of `count` noisy images of 60 × 40 with a face each, and folders beside it that are derived of it.
class DerivedDatasetTest : public testing::Test {
 protected:
  static constexpr int kImages = 40;

  DerivedDatasetTest() {
    Json images = Json::array(), annotations = Json::array();
    for (int i = 0; i < kImages; ++i) {
      const std::string file = "images/" + std::to_string(i) + ".png";
      cv::Mat pixels(40, 60, CV_8UC3);
      cv::RNG(static_cast<std::uint64_t>(i) + 1).fill(pixels, cv::RNG::UNIFORM, 0, 256);
      data_.write_image(file, pixels);
      images.push_back({{"id", i}, {"file_name", file}, {"width", 60}, {"height", 40}});
      annotations.push_back({{"id", i}, {"image_id", i}, {"bbox", {10 + i % 20, 8, 16, 20}}});
    }
    data_.write("annotations.json", Json{{"images", images}, {"annotations", annotations}}.dump());
  }

  std::string folder(const std::string& name = "derived") const { return data_.folder() + "/" + name; }
  FaceDataset derive(const Json& description, const std::string& name = "derived") {
    data_.write(name + "/derived.json", description.dump());
    warnings_ = {};
    return FaceDataset::load(folder(name), warnings_);
  }
  std::string message(const Json& description) {
    return input_error_of([&] { derive(description); });
  }
  static std::string digest(const FaceDataset& dataset, std::size_t index) {
    const cv::Mat pixels = read_pixels(dataset.folder(), dataset.images()[index]);
    return sha256({reinterpret_cast<const char*>(pixels.data), pixels.total() * pixels.elemSize()});
  }

  TemporaryDataset data_;
  Warnings warnings_;
};

Json upside_down() {
  return Json::array({{{"kind", "rotate"}, {"degrees", 180}}});
}

TEST_F(DerivedDatasetTest, HasTheImagesNamedInTheSourcesOrder) {
  const FaceDataset subset = derive({{"source", ".."}, {"images", {"images/3.png", "1.png", "images/99.png"}}});
  ASSERT_THAT(subset.images(), SizeIs(2));
  EXPECT_EQ(subset.images()[0].file, "images/1.png");
  EXPECT_EQ(subset.images()[1].file, "images/3.png");
  EXPECT_EQ(warnings_.count("images of derived.json that the source does not have"), 1u);
  const cv::Mat original = read_image(data_.folder() + "/images/3.png");
  EXPECT_EQ(cv::norm(read_pixels(subset.folder(), subset.images()[1]), original, cv::NORM_INF), 0);
}

TEST_F(DerivedDatasetTest, SplitsAreTheSources) {
  const FaceDataset shifted = derive({{"source", ".."}, {"shift", upside_down()}});
  ASSERT_THAT(shifted.images(), SizeIs(kImages));
  for (const AnnotatedImage& image : shifted.images()) EXPECT_EQ(image.split, split_of(image.file));

  data_.write("splits.json", R"({"test": ["images/0.png"], "train": ["images/1.png"]})");
  const FaceDataset told = derive({{"source", ".."}});
  ASSERT_THAT(told.images(), SizeIs(2));
  EXPECT_EQ(told.images()[0].split, Split::kTest);
  data_.write("derived/splits.json", R"({"val": ["images/0.png", "images/1.png"]})");
  EXPECT_THAT(derive({{"source", ".."}}).split(Split::kValidation), SizeIs(2));
}

TEST_F(DerivedDatasetTest, TheSameDescriptionGivesTheSamePixelsAndAnotherSeedOthers) {
  const Json noise = Json::array({{{"kind", "noise"}, {"sigma", 20}}});
  const FaceDataset first = derive({{"source", ".."}, {"shift", noise}, {"seed", 1}}, "first");
  const FaceDataset again = derive({{"source", ".."}, {"shift", noise}, {"seed", 1}, {"note", "same"}}, "again");
  const FaceDataset fewer = derive({{"source", ".."}, {"shift", noise}, {"seed", 1}, {"images", {"1.png"}}}, "fewer");
  const FaceDataset other = derive({{"source", ".."}, {"shift", noise}, {"seed", 2}}, "other");
  EXPECT_EQ(digest(first, 1), digest(again, 1));
  EXPECT_EQ(digest(first, 1), digest(fewer, 0));
  EXPECT_NE(digest(first, 1), digest(other, 1));
  EXPECT_EQ(first.images()[0].derivation, again.images()[0].derivation);
  EXPECT_NE(first.images()[0].derivation, other.images()[0].derivation);
}

TEST_F(DerivedDatasetTest, MayBeDerivedItself) {
  const FaceDataset once = derive({{"source", ".."}, {"shift", upside_down()}}, "once");
  const FaceDataset twice = derive({{"source", "../once"}, {"shift", upside_down()}}, "twice");
  const cv::Mat original = read_image(data_.folder() + "/images/5.png");
  EXPECT_NE(cv::norm(read_pixels(once.folder(), once.images()[5]), original, cv::NORM_INF), 0);
  EXPECT_EQ(cv::norm(read_pixels(twice.folder(), twice.images()[5]), original, cv::NORM_INF), 0);
  EXPECT_NEAR(twice.images()[5].faces[0].box.x, 15, 1e-4);
  EXPECT_NE(twice.images()[5].derivation, once.images()[5].derivation);
}

TEST_F(DerivedDatasetTest, CrowdsStayWithinTheirSplit) {
  const Json crowd = Json::array({{{"kind", "crowd"}, {"rows", 2}, {"columns", 2}, {"side", 120}}});
  data_.write("splits.json", R"({"test": ["0.png"], "train": ["1.png", "2.png"], "val": ["3.png"]})");
  const FaceDataset crowds = derive({{"source", ".."}, {"shift", crowd}});
  // The only image of its split is there four times.
  const AnnotatedImage alone = crowds.split(Split::kTest).at(0);
  EXPECT_EQ(alone.width, 120);
  ASSERT_THAT(alone.faces, SizeIs(4));
  const cv::Mat pixels = read_pixels(crowds.folder(), alone);
  EXPECT_EQ(cv::norm(pixels(cv::Rect(0, 10, 60, 40)), read_image(data_.folder() + "/images/0.png"), cv::NORM_INF), 0);
  EXPECT_EQ(cv::norm(pixels(cv::Rect(60, 70, 60, 40)), pixels(cv::Rect(0, 10, 60, 40)), cv::NORM_INF), 0);
}

TEST_F(DerivedDatasetTest, CrowdsStayWithinTheirSplitByTheFoldersOwnSplits) {
  const Json crowd = Json::array({{{"kind", "crowd"}, {"rows", 2}, {"columns", 2}, {"side", 120}}});
  data_.write("derived/splits.json", R"({"test": ["0.png"], "train": ["1.png", "2.png"], "val": ["3.png"]})");
  const FaceDataset crowds = derive({{"source", ".."}, {"shift", crowd}});
  EXPECT_THAT(crowds.images(), SizeIs(4));
  const cv::Mat pixels = read_pixels(crowds.folder(), crowds.split(Split::kTest).at(0));
  EXPECT_EQ(cv::norm(pixels(cv::Rect(60, 70, 60, 40)), read_image(data_.folder() + "/images/0.png"), cv::NORM_INF), 0);
}

TEST_F(DerivedDatasetTest, IsNeverWrittenOverAnother) {
  derive({{"source", ".."}, {"shift", upside_down()}});
  DerivedDescription other;
  other.source = data_.folder();
  EXPECT_THAT(input_error_of([&] { write_derived(folder(), other); }), HasSubstr("derived.json"));
}

TEST_F(DerivedDatasetTest, TrainsFromShiftedPixels) {
  const FaceDataset dark =
      derive({{"source", ".."}, {"shift", {{{"kind", "low_light"}, {"gain", 0.01}, {"gamma", 1}}}}});
  LoaderOptions options;
  options.batch_size = 4;
  options.augmentation.crop_size = 32;
  options.augmentation.colour = false;
  TrainingLoader loader(dark.folder(), dark.split(Split::kTrain), options);
  loader.start_epoch(0);
  Batch batch;
  ASSERT_TRUE(loader.next(batch));
  EXPECT_TRUE(loader.warnings().empty());
  std::size_t dark_pixels = 0;
  for (std::size_t i = 0; i < batch.pixels.total(); ++i) dark_pixels += batch.pixels.data[i] < 5;
  EXPECT_GT(dark_pixels, batch.pixels.total() / 2);
}

TEST_F(DerivedDatasetTest, MaterialisesToADataSetOfItsOwn) {
  data_.write("splits.json", R"({"test": ["0.png", "4.png"], "train": ["1.png", "2.png"], "val": ["3.png"]})");
  const FaceDataset shifted = derive({{"source", ".."}, {"shift", upside_down()}});
  warnings_ = {};  // of the images that splits.json leaves out
  EXPECT_EQ(materialise(shifted, folder("copy"), warnings_), 5u);
  const FaceDataset copy = FaceDataset::load(folder("copy"), warnings_);
  EXPECT_TRUE(warnings_.empty());
  ASSERT_THAT(copy.images(), SizeIs(5));
  for (std::size_t i = 0; i < 5; ++i) {
    EXPECT_EQ(copy.images()[i].file, shifted.images()[i].file);
    EXPECT_EQ(copy.images()[i].split, shifted.images()[i].split);
    EXPECT_EQ(copy.images()[i].faces.at(0).box.x, shifted.images()[i].faces.at(0).box.x);
    EXPECT_EQ(digest(copy, i), digest(shifted, i));
  }
  EXPECT_THAT(input_error_of([&] { materialise(shifted, folder("copy"), warnings_); }),
              HasSubstr("copy: expected a new or empty folder"));
}

TEST_F(DerivedDatasetTest, ErrorsNameTheFileAndTheKey) {
  const std::string file = folder() + "/derived.json: ";
  EXPECT_EQ(message(7), file + "expected an object with a source, got 7");
  EXPECT_EQ(message(Json::object()), file + "source: expected a data set's folder, it is missing");
  EXPECT_EQ(message({{"source", 3}}), file + "source: expected a data set's folder, got 3");
  EXPECT_THAT(message({{"source", "../none"}}), HasSubstr("none: expected a data set's folder"));
  EXPECT_EQ(message({{"source", ".."}, {"images", "a.jpg"}}),
            file + "images: expected a list of file names, got \"a.jpg\"");
  EXPECT_EQ(message({{"source", ".."}, {"images", {1}}}), file + "images[0]: expected a file name, got 1");
  EXPECT_EQ(message({{"source", ".."}, {"images", {"a", "a"}}}), file + "images[1]: \"a\" is listed before");
  EXPECT_THAT(message({{"source", ".."}, {"images", {"a"}}}), HasSubstr("it has none of them"));
  EXPECT_EQ(message({{"source", ".."}, {"seed", -1}}), file + "seed: expected an integer >= 0, got -1");
  EXPECT_EQ(message({{"source", ".."}, {"shift", "blur"}}), file + "shift: expected a list of shifts, got \"blur\"");
  EXPECT_EQ(message({{"source", ".."}, {"shift", {{{"kind", "blur"}}}}}),
            file.substr(0, file.size() - 1) + " shift[0].sigma: expected a number in [0.1, 50], it is missing");
  EXPECT_THAT(message({{"source", ".."}, {"shifts", Json::array()}}), HasSubstr("did you mean \"shift\"?"));
  const Json crowd = {{"kind", "crowd"}, {"rows", 2}, {"columns", 2}, {"side", 100}};
  EXPECT_THAT(message({{"source", ".."}, {"shift", {crowd, crowd}}}),
              HasSubstr("shift[1].kind: expected one crowd at most"));
  EXPECT_THAT(message({{"source", "."}}), HasSubstr("source: the data set is derived from itself"));
  data_.write("derived/annotations.json", "{}");
  EXPECT_THAT(message({{"source", ".."}}), HasSubstr("expected annotations.json or derived.json, it has both"));
}

TEST_F(DerivedDatasetTest, FacesMoveOnlyInImagesOfTheAnnotatedSize) {
  data_.write_image("images/2.png", cv::Mat::zeros(20, 20, CV_8UC3));
  const FaceDataset shifted = derive({{"source", ".."}, {"shift", upside_down()}});
  EXPECT_THAT(input_error_of([&] { read_pixels(shifted.folder(), shifted.images()[2]); }),
              HasSubstr("images/2.png: is of another size than annotated"));
  data_.write("annotations.json", R"({"images": [{"id": 1, "file_name": "images/1.png"}], "annotations": []})");
  EXPECT_THAT(message({{"source", ".."}, {"shift", upside_down()}}),
              HasSubstr("images/1.png: expected its width and height in the annotations"));
}

TEST_F(DerivedDatasetTest, ImagesThatAShiftCannotHandleAreNamed) {
  data_.write_image("images/1.png", cv::Mat::zeros(2, 12000, CV_8UC3));
  data_.write(
      "annotations.json",
      R"({"images": [{"id": 1, "file_name": "images/1.png", "width": 12000, "height": 2}], "annotations": []})");
  EXPECT_THAT(message({{"source", ".."}, {"shift", {{{"kind", "fisheye"}, {"view", 120}}}}}),
              HasSubstr("images/1.png: would be shifted to 12000×12000 pixels, expected at most 134217728"));
  data_.write_image("images/1.png", cv::Mat::zeros(2, 66000, CV_8UC3));
  const FaceDataset jpeg = derive({{"source", ".."}, {"shift", {{{"kind", "jpeg"}, {"quality", 50}}}}});
  EXPECT_THAT(input_error_of([&] { read_pixels(jpeg.folder(), jpeg.images()[0]); }),
              HasSubstr("images/1.png: cannot be shifted"));
}

TEST_F(DerivedDatasetTest, ShiftedTasksAreReproducibleAndLoad) {
  Warnings warnings;
  const FaceDataset source = FaceDataset::load(data_.folder(), warnings);
  ShiftedTaskOptions options;
  options.tasks = 30;
  options.fewest_images = 10;
  options.most_images = 20;
  const auto tasks = draw_shifted_tasks(data_.folder(), source.images(), options);
  const auto again = draw_shifted_tasks(data_.folder(), source.images(), options);
  ASSERT_THAT(tasks, SizeIs(30));
  std::set<std::string> kinds;
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    EXPECT_EQ(tasks[i].description.shift, again[i].description.shift);
    EXPECT_EQ(tasks[i].description.images, again[i].description.images);
    write_derived(folder(tasks[i].name), tasks[i].description);
    const FaceDataset derived = FaceDataset::load(folder(tasks[i].name), warnings);
    EXPECT_GE(derived.images().size(), 10u);
    EXPECT_LE(derived.images().size(), 20u);
    const cv::Mat pixels = read_pixels(derived.folder(), derived.images()[0]);
    EXPECT_EQ(pixels.cols, derived.images()[0].width) << tasks[i].name;
    EXPECT_EQ(pixels.rows, derived.images()[0].height) << tasks[i].name;
    for (const Json& shift : tasks[i].description.shift) kinds.insert(shift["kind"].get<std::string>());
  }
  EXPECT_GE(kinds.size(), 13u) << "every kind comes first before any comes again";
  EXPECT_TRUE(warnings.empty());

  options.kinds = {"gray"};
  EXPECT_THAT(input_error_of([&] { draw_shifted_tasks(data_.folder(), source.images(), options); }),
              HasSubstr("--kinds: unknown kind \"gray\"; did you mean \"grey\"?"));
}

}  // namespace
}  // namespace hyperfd
