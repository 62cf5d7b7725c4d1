#include "trial/data/face_dataset.h"

#include <gmock/gmock.h>

#include "tests/trial/data/temporary_dataset.h"
#include "tuner/base/json.h"

namespace hyperfd {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// Two images of 100 × 80 pixels and the annotations given, as JSON text.
std::string coco(const std::string& annotations,
                 const std::string& images = R"({"id": 1, "file_name": "images/a.jpg", "width": 100, "height": 80},
                                                {"id": 2, "file_name": "images/b.jpg", "width": 100, "height": 80})") {
  return R"({"images": [)" + images + R"(], "annotations": [)" + annotations +
         R"(], "categories": [{"id": 1, "name": "face"}]})";
}

class FaceDatasetTest : public testing::Test {
 protected:
  FaceDatasetTest() {
    data_.write("images/a.jpg", "the reader looks at no pixels");
    data_.write("images/b.jpg", "");
  }
  FaceDataset load(const std::string& annotations_json) {
    data_.write("annotations.json", annotations_json);
    warnings_ = {};
    return FaceDataset::load(data_.folder(), warnings_);
  }
  std::string message(const std::string& annotations_json) {
    return input_error_of([&] { load(annotations_json); });
  }
  // The boxes of image a.
  std::vector<Face> faces(const std::string& annotations) { return load(coco(annotations)).images().at(0).faces; }

  TemporaryDataset data_;
  Warnings warnings_;
};

TEST_F(FaceDatasetTest, ReadsBoxesLandmarksAndCrowds) {
  const auto dataset = load(coco(R"(
      {"id": 1, "image_id": 1, "category_id": 1, "bbox": [10, 20.5, 30, 40], "iscrowd": 0,
       "keypoints": [1,2,2, 3,4,2, 5,6,1, 7,8,2, 9,10,2], "area": 1200},
      {"id": 2, "image_id": 1, "category_id": 1, "bbox": [1, 2, 3, 4], "iscrowd": 1})"));
  ASSERT_EQ(dataset.images().size(), 2u);
  const AnnotatedImage& image = dataset.images()[0];
  EXPECT_EQ(image.file, "images/a.jpg");
  EXPECT_EQ(image.width, 100);
  EXPECT_EQ(image.height, 80);
  ASSERT_EQ(image.faces.size(), 2u);
  EXPECT_EQ(image.faces[0].box.y, 20.5f);
  EXPECT_FALSE(image.faces[0].ignored);
  ASSERT_TRUE(image.faces[0].landmarks);
  EXPECT_EQ((*image.faces[0].landmarks)[4].y, 10);
  EXPECT_TRUE(image.faces[1].ignored);
  EXPECT_FALSE(image.faces[1].landmarks);
  EXPECT_THAT(dataset.images()[1].faces, IsEmpty());
  EXPECT_TRUE(warnings_.empty()) << warnings_.lines().front();
}

TEST_F(FaceDatasetTest, TakesImagesWithoutAnyAnnotation) {
  EXPECT_EQ(load(coco("")).images().size(), 2u);
  EXPECT_TRUE(warnings_.empty());
}

TEST_F(FaceDatasetTest, TakesLandmarksOnlyWhenAllFiveAreThere) {
  const auto landmarks = [&](const std::string& keypoints) {
    return faces(R"({"image_id": 1, "bbox": [0, 0, 9, 9], "keypoints": )" + keypoints + "}")
        .at(0)
        .landmarks.has_value();
  };
  EXPECT_TRUE(landmarks("[1,2,1, 3,4,1, 5,6,1, 7,8,1, 9,10,1]"));
  EXPECT_FALSE(landmarks("[1,2,1, 3,4,0, 5,6,1, 7,8,1, 9,10,1]"));
  EXPECT_FALSE(landmarks("[]"));
  EXPECT_FALSE(landmarks("null"));
}

TEST_F(FaceDatasetTest, ClipsBoxesThatReachOverTheEdgeAndCountsThem) {
  const auto found = faces(R"({"image_id": 1, "bbox": [-5, -10, 20, 30]}, {"image_id": 1, "bbox": [90, 70, 20.5, 30]},
                              {"image_id": 1, "bbox": [90, 70, 10.4, 10]})");
  ASSERT_EQ(found.size(), 3u);
  EXPECT_EQ(found[0].box.x, 0);
  EXPECT_EQ(found[0].box.width, 15);
  EXPECT_EQ(found[0].box.height, 20);
  EXPECT_EQ(found[1].box.width, 10);
  EXPECT_EQ(found[1].box.height, 10);
  EXPECT_EQ(found[2].box.width, 10);
  EXPECT_THAT(warnings_.lines(), ElementsAre("2 boxes reaching over their image's edge, clipped "
                                             "(images/a.jpg: annotations[0]; images/a.jpg: annotations[1])"));
}

TEST_F(FaceDatasetTest, KeepsABoxInsideToTheLastBit) {
  const auto found = faces(R"({"image_id": 1, "bbox": [12.1, 7.3, 33.33, 21.7]})");
  EXPECT_EQ(found.at(0).box.width, 33.33f);
  EXPECT_EQ(found.at(0).box.height, 21.7f);
}

TEST_F(FaceDatasetTest, ClipsNothingToTheRightWhenTheSizeIsUnknown) {
  const auto dataset =
      load(coco(R"({"image_id": 1, "bbox": [5000, 5000, 10, 10]})", R"({"id": 1, "file_name": "images/a.jpg"})"));
  EXPECT_EQ(dataset.images()[0].faces.at(0).box.x, 5000);
}

TEST_F(FaceDatasetTest, DropsBoxesThatAreNoneAndCountsThem) {
  EXPECT_THAT(faces(R"({"image_id": 1, "bbox": [5, 5, 0, 10]}, {"image_id": 1, "bbox": [5, 5, 10, -1]},
                       {"image_id": 1, "bbox": [NaN, 5, 10, 10]}, {"image_id": 1, "bbox": [5, 5, Infinity, 10]},
                       {"image_id": 1, "bbox": [5, 5, null, 10]}, {"image_id": 1, "bbox": [5, 5, 10, 1e300]},
                       {"image_id": 1, "bbox": [-50, 5, 10, 10]}, {"image_id": 1, "bbox": [5, 80, 10, 10]})"),
              IsEmpty());
  EXPECT_EQ(warnings_.count("boxes without width or height, dropped"), 2u);
  EXPECT_EQ(warnings_.count("boxes with numbers that are none, dropped"), 4u);
  EXPECT_EQ(warnings_.count("boxes outside their image, dropped"), 2u);
}

TEST_F(FaceDatasetTest, LeavesNanInsideTextAlone) {
  data_.write("images/NaN \"Infinity\".jpg", "");
  const auto dataset = load(
      coco(R"({"image_id": 1, "bbox": [5, 5, NaN, 10]})", R"({"id": 1, "file_name": "images/NaN \"Infinity\".jpg"})"));
  EXPECT_EQ(dataset.images()[0].file, "images/NaN \"Infinity\".jpg");
}

TEST_F(FaceDatasetTest, CountsUnknownImagesRepeatedIdsAndOtherCategories) {
  const auto dataset = load(coco(R"(
      {"id": 1, "image_id": 9, "bbox": [5, 5, 10, 10]}, {"id": 2, "image_id": 1, "category_id": 2, "bbox": [5, 5, 10, 10]},
      {"id": 3, "image_id": 1, "bbox": [5, 5, 10, 10]}, {"id": 3, "image_id": 1, "bbox": [25, 5, 10, 10]})",
                                 R"({"id": 1, "file_name": "images/a.jpg"}, {"id": 1, "file_name": "images/b.jpg"})"));
  EXPECT_EQ(dataset.images().size(), 1u);
  EXPECT_EQ(dataset.images()[0].faces.size(), 2u);
  EXPECT_THAT(warnings_.lines(), ElementsAre("1 annotations of an unknown image, dropped (annotations[0].image_id: 9)",
                                             "1 annotations of another category than face, dropped (annotations[1])",
                                             "1 annotations with an id that an earlier one has (annotations[3])",
                                             "1 images with an id that an earlier one has, dropped (images/b.jpg)"));
}

TEST_F(FaceDatasetTest, MergesAnImageListedUnderTwoIds) {
  const auto dataset = load(coco(R"({"image_id": 1, "bbox": [5, 5, 10, 10]}, {"image_id": 2, "bbox": [25, 5, 10, 10]})",
                                 R"({"id": 1, "file_name": "images/a.jpg"}, {"id": 2, "file_name": "images/a.jpg"})"));
  ASSERT_EQ(dataset.images().size(), 1u);
  EXPECT_EQ(dataset.images()[0].faces.size(), 2u);
  EXPECT_EQ(warnings_.count("images listed again under another id, merged"), 1u);
}

TEST_F(FaceDatasetTest, DropsImagesWhoseFileIsMissing) {
  const auto dataset = load(coco(R"({"image_id": 3, "bbox": [5, 5, 10, 10]})",
                                 R"({"id": 1, "file_name": "images/a.jpg"}, {"id": 3, "file_name": "images/z.jpg"})"));
  EXPECT_EQ(dataset.images().size(), 1u);
  EXPECT_THAT(warnings_.lines(), ElementsAre("1 images whose file is missing, dropped (images/z.jpg)"));
}

TEST_F(FaceDatasetTest, FindsPlainCocoNamesInImages) {
  EXPECT_EQ(load(coco("", R"({"id": "x", "file_name": "b.jpg"})")).images()[0].file, "images/b.jpg");
}

TEST_F(FaceDatasetTest, TakesTheCategoryNamedFace) {
  const auto dataset = load(R"({"images": [{"id": 1, "file_name": "images/a.jpg"}],
      "categories": [{"id": 1, "name": "hat"}, {"id": 7, "name": "face"}],
      "annotations": [{"image_id": 1, "category_id": 1, "bbox": [1, 1, 5, 5]},
                      {"image_id": 1, "category_id": 7, "bbox": [2, 2, 5, 5]}]})");
  ASSERT_EQ(dataset.images()[0].faces.size(), 1u);
  EXPECT_EQ(dataset.images()[0].faces[0].box.x, 2);
}

TEST_F(FaceDatasetTest, TakesTheOnlyCategoryAndRefusesToChooseAmongOthers) {
  const auto with = [](const std::string& categories) {
    return R"({"images": [{"id": 1, "file_name": "images/a.jpg"}], "categories": )" + categories +
           R"(, "annotations": [{"image_id": 1, "category_id": 2, "bbox": [2, 2, 5, 5]}]})";
  };
  EXPECT_EQ(load(with(R"([{"id": 2, "name": "head"}])")).images()[0].faces.size(), 1u);
  EXPECT_TRUE(load(with("[]")).images()[0].faces.empty()) << "category 1";
  EXPECT_EQ(message(with(R"([{"id": 1, "name": "person"}, {"id": 2}])")),
            data_.folder() + "/annotations.json: categories: expected one named \"face\", got [\"person\",null]");
}

TEST_F(FaceDatasetTest, NamesPlaceAndValueOfWrongTypes) {
  const std::string file = data_.folder() + "/annotations.json: ";
  EXPECT_EQ(message(coco(R"({"image_id": 1, "bbox": [1, 2, 3]})")),
            file + "annotations[0].bbox: expected 4 numbers, got [1,2,3]");
  EXPECT_EQ(message(coco(R"({"image_id": 1, "bbox": [1, 2, 3, 4]}, {"image_id": 1, "bbox": [1, 2, 3, "4"]})")),
            file + R"(annotations[1].bbox: expected 4 numbers, got [1,2,3,"4"])");
  EXPECT_EQ(message(coco(R"({"image_id": 1})")), file + "annotations[0].bbox: expected 4 numbers, it is missing");
  EXPECT_EQ(message(coco(R"({"image_id": 1.5, "bbox": [1, 2, 3, 4]})")),
            file + "annotations[0].image_id: expected an integer or a string, got 1.5");
  EXPECT_EQ(message(coco(R"({"image_id": 1, "bbox": [1, 2, 3, 4], "iscrowd": "yes"})")),
            file + "annotations[0].iscrowd: expected 0 or 1, got \"yes\"");
  EXPECT_EQ(message(coco(R"({"image_id": 1, "bbox": [1, 2, 3, 4], "keypoints": [1, 2, 2]})")),
            file + "annotations[0].keypoints: expected 15 numbers, got [1,2,2]");
  EXPECT_EQ(message(coco("7")), file + "annotations[0]: expected an object, got 7");
  EXPECT_EQ(message(coco("", R"({"id": 1, "file_name": 5})")),
            file + "images[0].file_name: expected a file name, got 5");
  EXPECT_EQ(message(coco("", R"({"id": 1, "file_name": "images/a.jpg", "width": "100"})")),
            file + "images[0].width: expected a number of pixels, got \"100\"");
  EXPECT_EQ(message(R"({"annotations": []})"), file + "images: expected a list, it is missing");
  EXPECT_EQ(message(R"({"images": [{"id": 1, "file_name": "images/a.jpg"}]})"),
            file + "annotations: expected a list, it is missing");
  EXPECT_EQ(message(R"({"images": {}, "annotations": []})"), file + "images: expected a list, got {}");
  EXPECT_EQ(message("[]"), file + "expected an object with images and annotations, got []");
  EXPECT_THAT(message(R"({"images": [)"), HasSubstr("annotations.json: parse error at line 1"));
}

TEST_F(FaceDatasetTest, RefusesFileNamesThatLeaveTheFolder) {
  for (const char* name : {"../../etc/passwd", "/etc/passwd", "images/../../x.jpg", "..", "images/a.jpg\\u0000"}) {
    EXPECT_THAT(message(coco("", std::string(R"({"id": 1, "file_name": ")") + name + R"("})")),
                HasSubstr("images[0].file_name: expected a path inside the data set's folder, got"))
        << name;
  }
}

TEST_F(FaceDatasetTest, SaysWhenThereIsNoDataSet) {
  Warnings warnings;
  EXPECT_THAT(input_error_of([&] { FaceDataset::load(data_.folder() + "/none", warnings); }),
              HasSubstr("/none: expected a data set's folder (annotations.json and images/), it is not there"));
  EXPECT_THAT(input_error_of([&] { FaceDataset::load(data_.folder(), warnings); }), HasSubstr("annotations.json"));
  EXPECT_THAT(message(coco("", R"({"id": 1, "file_name": "images/z.jpg"})")),
              HasSubstr("none of the 1 images listed is in"));
}

TEST_F(FaceDatasetTest, SplitsByHashUnlessToldOtherwise) {
  const auto dataset = load(coco(""));
  for (const AnnotatedImage& image : dataset.images()) EXPECT_EQ(image.split, split_of(image.file));

  data_.write("splits.json", R"({"test": ["images/a.jpg", "images/gone.jpg"], "train": ["images/b.jpg"]})");
  const auto told = load(coco(""));
  EXPECT_EQ(told.split(Split::kTest).at(0).file, "images/a.jpg");
  EXPECT_EQ(told.split(Split::kTrain).at(0).file, "images/b.jpg");
  EXPECT_THAT(warnings_.lines(), ElementsAre("1 images of splits.json that are not in the data set (images/gone.jpg)"));
  EXPECT_THAT(input_error_of([&] { told.split(Split::kValidation); }),
              HasSubstr("no image is in the val split (2 in all)"));
}

TEST_F(FaceDatasetTest, LeavesOutImagesThatSplitsJsonDoesNotMention) {
  data_.write("splits.json", R"({"train": ["images/b.jpg"]})");
  EXPECT_EQ(load(coco("")).images().size(), 1u);
  EXPECT_THAT(warnings_.lines(), ElementsAre("1 images in no list of splits.json, unused (images/a.jpg)"));
}

TEST(RealFaceData, IsReadWithoutAWarningAboutItsFormat) {
  const std::string data = HYPERFD_SOURCE_DIR "/../shared/data/";
  if (!std::filesystem::exists(data + "mask")) GTEST_SKIP() << data << " is not here";
  for (const char* domain : {"anime", "cmu_gray", "fddb", "mask", "portrait_lm5", "wider_crowd", "wider_source"}) {
    Warnings warnings;
    const FaceDataset dataset = FaceDataset::load(data + domain, warnings);
    const Json annotations = load_json_or_yaml(data + domain + "/annotations.json");
    EXPECT_EQ(dataset.images().size(), annotations["images"].size()) << domain;
    for (const std::string& line : warnings.lines()) {
      EXPECT_THAT(line, HasSubstr("edge, clipped")) << domain;
    }
  }
}

}  // namespace
}  // namespace hyperfd
