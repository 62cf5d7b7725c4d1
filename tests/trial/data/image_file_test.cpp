#include "trial/data/image_file.h"

#include <gmock/gmock.h>

#include "tests/trial/data/temporary_dataset.h"
#include "trial/data/image_source.h"

namespace hyperfd {
namespace {

using testing::HasSubstr;

// A small picture that JPEG cannot shrink to nothing.
cv::Mat gradient(int width, int height) {
  cv::Mat image(height, width, CV_8UC3);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      image.at<cv::Vec3b>(y, x) =
          cv::Vec3b(static_cast<uchar>(x), static_cast<uchar>(y * 3), static_cast<uchar>(x ^ y));
    }
  }
  return image;
}

TEST(ReadImage, GivesBgrWhateverTheFile) {
  const TemporaryDataset data;
  data.write_image("a.png", gradient(60, 40));
  cv::Mat grey;
  cv::extractChannel(gradient(60, 40), grey, 1);
  data.write_image("grey.jpg", grey);
  EXPECT_EQ(cv::norm(read_image(data.folder() + "/a.png"), gradient(60, 40), cv::NORM_INF), 0);
  EXPECT_EQ(read_image(data.folder() + "/grey.jpg").type(), CV_8UC3);
}

// As cameras write it: which way up is in EXIF.
std::string turned_jpeg(const TemporaryDataset& data, const cv::Mat& image, char orientation) {
  using namespace std::string_literals;
  data.write_image("plain.jpg", image);
  const std::string jpeg = read_file(data.folder() + "/plain.jpg");
  const std::string exif = "Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0"s + orientation + "\0\0\0\0\0\0\0"s;
  const std::string length = {'\0', static_cast<char>(exif.size() + 2)};
  return jpeg.substr(0, 2) + "\xFF\xE1" + length + exif + jpeg.substr(2);
}

TEST(ReadImage, TurnsPhotographsWhereItIsToldTo) {
  const TemporaryDataset data;
  const cv::Mat image = gradient(60, 40);
  data.write("turned.jpg", turned_jpeg(data, image, 6));  // a quarter to the right
  const std::string file = data.folder() + "/turned.jpg";
  const cv::Mat stored = read_image(file), shown = read_image(file, Orientation::kShown);
  EXPECT_EQ(stored.size(), cv::Size(60, 40));
  ASSERT_EQ(shown.size(), cv::Size(40, 60));
  cv::Mat expected;
  cv::rotate(stored, expected, cv::ROTATE_90_CLOCKWISE);
  EXPECT_EQ(cv::norm(shown, expected, cv::NORM_INF), 0);
}

TEST(ReadPixels, TurnsWhatWasLabelledTheRightWayUp) {
  const TemporaryDataset data;
  data.write("images/turned.jpg", turned_jpeg(data, gradient(60, 40), 6));
  AnnotatedImage image;
  image.file = "images/turned.jpg";
  for (const cv::Size annotated : {cv::Size(60, 40), cv::Size(40, 60), cv::Size(0, 0)}) {
    image.width = annotated.width;
    image.height = annotated.height;
    EXPECT_EQ(read_pixels(data.folder(), image).size(), annotated.width > 0 ? annotated : cv::Size(60, 40));
  }
}

TEST(ReadImage, RefusesCutOffFiles) {
  const TemporaryDataset data;
  for (const char* name : {"a.jpg", "a.png"}) {
    data.write_image(name, gradient(200, 150));
    const std::string file = data.folder() + "/" + name;
    const std::string whole = read_file(file);
    for (const double part : {0.01, 0.3, 0.6, 0.9}) {
      data.write(name, whole.substr(0, static_cast<std::size_t>(part * static_cast<double>(whole.size()))));
      EXPECT_THAT(input_error_of([&] { read_image(file); }), HasSubstr(file)) << part;
    }
  }
}

TEST(ReadImage, NamesFilesThatAreNoImages) {
  const TemporaryDataset data;
  data.write("empty.jpg", "");
  data.write("text.jpg", "not an image");
  EXPECT_THAT(input_error_of([&] { read_image(data.folder() + "/empty.jpg"); }),
              HasSubstr("empty.jpg: expected an image, the file is empty"));
  EXPECT_THAT(input_error_of([&] { read_image(data.folder() + "/text.jpg"); }),
              HasSubstr("text.jpg: expected an image, the content cannot be decoded"));
  EXPECT_THAT(input_error_of([&] { read_image(data.folder() + "/none.jpg"); }), HasSubstr("none.jpg"));
}

TEST(ReadImage, FindsTheSizeOfAJpegBehindWhatDecodersSkip) {
  using namespace std::string_literals;
  const TemporaryDataset data;
  const std::string frame = "\xFF\xC0\x00\x0B\x08\x7D\x00\x7D\x00\x01\x01\x11\x00\xFF\xD9"s;  // 32000×32000, grey
  for (const std::string& before : {""s, "\xFF\x01"s, "\xFF\xD0"s, "\xFF\xFF"s, "x"s, "\xFF\xFE\x00\x04zz"s}) {
    data.write("large.jpg", "\xFF\xD8" + before + frame);
    EXPECT_THAT(input_error_of([&] { read_image(data.folder() + "/large.jpg"); }), HasSubstr("got 32000×32000"))
        << before;
  }
}

TEST(IsCompleteJpeg, IsNotFooledByAThumbnailsEndMarker) {
  using namespace std::string_literals;
  const std::string with_thumbnail = "\xFF\xD8\xFF\xE1\x00\x06\xFF\xD9\x12\x34\xFF\xDA\x00\x02"s;
  EXPECT_FALSE(is_complete_jpeg(with_thumbnail + "data\xFF\x00more"s));
  EXPECT_TRUE(is_complete_jpeg(with_thumbnail + "data\xFF\x00more\xFF\xD9"s));
  EXPECT_TRUE(is_complete_jpeg(with_thumbnail + "data\xFF\xD9 trailing bytes of some camera"s));
  EXPECT_FALSE(is_complete_jpeg("\xFF\xD8\xFF\xE1\xFF"));
  EXPECT_FALSE(is_complete_jpeg("\xFF\xD8"));
}

}  // namespace
}  // namespace hyperfd
