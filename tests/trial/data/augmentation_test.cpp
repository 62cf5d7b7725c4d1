#include "trial/data/augmentation.h"

#include <set>

#include <gtest/gtest.h>
#include <opencv2/imgproc.hpp>

namespace hyperfd {
namespace {

Face face(Box box, bool ignored = false) {
  return {box, ignored, std::nullopt};
}

TEST(ChooseCrop, HoldsAWholeFaceAndStaysInTheImage) {
  const std::vector<Face> faces{face({150, 20, 40, 50}), face({10, 100, 15, 15})};
  Rng rng(1);
  for (int i = 0; i < 500; ++i) {
    const cv::Rect crop = choose_crop({320, 240}, faces, 0.3f, rng);
    EXPECT_EQ(crop.width, crop.height);
    EXPECT_EQ(crop & cv::Rect(0, 0, 320, 240), crop);
    const auto holds = [&](const Face& f) {
      const cv::Rect box(static_cast<int>(f.box.x), static_cast<int>(f.box.y), static_cast<int>(f.box.width),
                         static_cast<int>(f.box.height));
      return (crop & box) == box;
    };
    EXPECT_TRUE(holds(faces[0]) || holds(faces[1]));
  }
}

TEST(ChooseCrop, DrawsEveryRatioFromTheMinimumUp) {
  const auto sides = [](float minimum) {
    std::set<int> seen;
    Rng rng(2);
    for (int i = 0; i < 300; ++i) seen.insert(choose_crop({200, 100}, {}, minimum, rng).width);
    return seen;
  };
  EXPECT_EQ(sides(0.3f), (std::set<int>{30, 45, 60, 80, 100}));
  EXPECT_EQ(sides(0.5f), (std::set<int>{50, 60, 80, 100}));
  EXPECT_EQ(sides(1.0f), (std::set<int>{100}));
  EXPECT_EQ(sides(0.1f), (std::set<int>{10, 30, 45, 60, 80, 100}));
}

TEST(ChooseCrop, ReachesOverTheEdgeOnlyForAFaceThatFitsNoSquare) {
  Rng rng(3);
  EXPECT_EQ(choose_crop({300, 100}, {face({10, 5, 200, 90})}, 0.3f, rng), cv::Rect(0, 0, 300, 300));
}

TEST(ChooseCrop, DoesNotLookForIgnoredFaces) {
  Rng rng(4);
  EXPECT_EQ(choose_crop({300, 100}, {face({10, 5, 200, 90}, true)}, 1, rng).size(), cv::Size(100, 100));
}

TEST(ChooseCrop, CopesWithAnImageOfOnePixel) {
  Rng rng(5);
  EXPECT_EQ(choose_crop({1, 1}, {}, 0.3f, rng), cv::Rect(0, 0, 1, 1));
}

TEST(FacesInCrop, KeepsFacesByTheirCentreAndClipsThem) {
  const cv::Rect crop(100, 50, 80, 80);
  const auto kept =
      faces_in_crop({face({90, 60, 30, 20}), face({60, 60, 60, 20}), face({160, 110, 30, 30}, true)}, crop, 160);
  ASSERT_EQ(kept.size(), 2u);
  EXPECT_FLOAT_EQ(kept[0].box.x, 0);
  EXPECT_FLOAT_EQ(kept[0].box.y, 20);
  EXPECT_FLOAT_EQ(kept[0].box.width, 40);
  EXPECT_FLOAT_EQ(kept[0].box.height, 40);
  EXPECT_FLOAT_EQ(kept[1].box.right(), 160);
  EXPECT_FLOAT_EQ(kept[1].box.bottom(), 160);
  EXPECT_TRUE(kept[1].ignored);
}

TEST(FacesInCrop, KeepsWhatReachesInOfARegionThatDoesNotCount) {
  const auto kept = faces_in_crop({face({0, 0, 120, 120}, true), face({0, 0, 90, 40}, true)}, {100, 50, 80, 80}, 160);
  ASSERT_EQ(kept.size(), 1u) << "the other one lies outside";
  EXPECT_TRUE(kept[0].ignored);
  EXPECT_FLOAT_EQ(kept[0].box.x, 0);
  EXPECT_FLOAT_EQ(kept[0].box.width, 40);
  EXPECT_FLOAT_EQ(kept[0].box.height, 140);
}

TEST(FacesInCrop, MovesLandmarksAndForgetsThoseCutOff) {
  Face inside = face({110, 60, 40, 40});
  inside.landmarks = Landmarks{{{115, 70}, {140, 70}, {130, 80}, {118, 90}, {138, 90}}};
  Face cut = face({160, 60, 30, 40});
  cut.landmarks = Landmarks{{{165, 70}, {185, 70}, {175, 80}, {168, 90}, {183, 90}}};
  const auto kept = faces_in_crop({inside, cut}, {100, 50, 80, 80}, 160);
  ASSERT_EQ(kept.size(), 2u);
  ASSERT_TRUE(kept[0].landmarks);
  EXPECT_FLOAT_EQ((*kept[0].landmarks)[1].x, 80);
  EXPECT_FLOAT_EQ((*kept[0].landmarks)[1].y, 40);
  EXPECT_FALSE(kept[1].landmarks);
}

TEST(FacesInCrop, DropsFacesUnderAPixel) {
  EXPECT_TRUE(faces_in_crop({face({100, 100, 5, 5})}, {0, 0, 1000, 1000}, 160).empty());
}

TEST(FlipFaces, SwapsLeftAndRightAndTwiceIsTheIdentity) {
  Face original = face({10, 20, 30, 40});
  original.landmarks = Landmarks{{{15, 30}, {35, 31}, {24, 40}, {17, 50}, {33, 51}}};
  std::vector<Face> faces{original};
  flip_faces(faces, 100);
  EXPECT_FLOAT_EQ(faces[0].box.x, 60);
  const Landmarks& flipped = *faces[0].landmarks;
  EXPECT_FLOAT_EQ(flipped[0].x, 65);  // the old right eye is the left one now
  EXPECT_FLOAT_EQ(flipped[0].y, 31);
  EXPECT_FLOAT_EQ(flipped[2].x, 76);
  EXPECT_FLOAT_EQ(flipped[4].x, 83);
  flip_faces(faces, 100);
  EXPECT_FLOAT_EQ(faces[0].box.x, 10);
  EXPECT_FLOAT_EQ((*faces[0].landmarks)[3].x, 17);
}

TEST(DistortColour, StaysWithinItsBounds) {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    cv::Mat grey(4, 4, CV_8UC3, cv::Scalar::all(100));
    Rng rng(seed);
    distort_colour(grey, rng);
    const cv::Vec3b pixel = grey.at<cv::Vec3b>(0, 0);
    EXPECT_GE(pixel[0], 33);        // (100 − 32) / 2, rounded
    EXPECT_LE(pixel[0], 199);       // (100 + 32) · 1.5
    EXPECT_EQ(pixel[0], pixel[1]);  // grey has no hue to turn and no colour to strengthen
    EXPECT_EQ(pixel[0], pixel[2]);
  }
}

TEST(DistortColour, TurnsTheHueRoundTheCircle) {
  // Pure red has hue 0: its neighbours on both sides must appear, and stay red more than anything else.
  bool towards_green = false, towards_blue = false;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    cv::Mat red(4, 4, CV_8UC3, cv::Scalar(0, 0, 200));
    Rng rng(seed);
    distort_colour(red, rng);
    const cv::Vec3b pixel = red.at<cv::Vec3b>(0, 0);
    EXPECT_GT(pixel[2], pixel[0]);
    EXPECT_GT(pixel[2], pixel[1]);
    towards_blue = towards_blue || pixel[0] > pixel[1] + 20;
    towards_green = towards_green || pixel[1] > pixel[0] + 20;
  }
  EXPECT_TRUE(towards_blue && towards_green);
}

// A black image with one white face.
struct Scene {
  cv::Mat image{240, 320, CV_8UC3, cv::Scalar::all(0)};
  std::vector<Face> faces{face({200, 60, 40, 50})};
  Scene() { image(cv::Rect(200, 60, 40, 50)).setTo(cv::Scalar::all(255)); }
};

TEST(Augment, MovesBoxesWithTheirPixels) {
  const Scene scene;
  for (const int crop_size : {64, 200, 320}) {  // smaller and larger than the crops
    AugmentationOptions options;
    options.crop_size = crop_size;
    options.colour = false;
    for (std::uint64_t seed = 0; seed < 40; ++seed) {
      Rng rng(seed);
      cv::Mat output;
      std::vector<Face> faces;
      augment(scene.image, scene.faces, options, rng, output, faces);
      ASSERT_EQ(output.size(), cv::Size(crop_size, crop_size));
      ASSERT_EQ(faces.size(), 1u);
      cv::Mat bright;
      cv::extractChannel(output, bright, 0);
      const cv::Rect found = cv::boundingRect(bright > 127);
      EXPECT_NEAR(faces[0].box.x, found.x, 4) << "seed " << seed;
      EXPECT_NEAR(faces[0].box.y, found.y, 4) << "seed " << seed;
      EXPECT_NEAR(faces[0].box.width, found.width, 5) << "seed " << seed;
      EXPECT_NEAR(faces[0].box.height, found.height, 5) << "seed " << seed;
    }
  }
}

TEST(Augment, WritesIntoTheOutputGivenAndNeverIntoTheImage) {
  const Scene scene;
  const cv::Mat before = scene.image.clone();
  AugmentationOptions options;
  options.crop_size = 96;
  cv::Mat output(96, 96, CV_8UC3);
  const uchar* pixels = output.data;
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    Rng rng(seed);
    std::vector<Face> faces;
    augment(scene.image, scene.faces, options, rng, output, faces);
    EXPECT_EQ(output.data, pixels);
  }
  // A crop of exactly the output's size is where sharing pixels would be easiest.
  options.crop_size = 240;
  options.minimum_crop_ratio = 1;
  cv::Mat whole;
  std::vector<Face> faces;
  Rng rng(1);
  augment(scene.image, scene.faces, options, rng, whole, faces);
  EXPECT_EQ(cv::norm(scene.image, before, cv::NORM_INF), 0);
}

// A crop of 100 × 100 without changes of colour, from an image that is white.
cv::Mat crop_of_white(cv::Size size, const Box& box, std::vector<Face>& faces) {
  AugmentationOptions options;
  options.crop_size = 100;
  options.colour = false;
  cv::Mat output;
  Rng rng(1);
  augment(cv::Mat(size, CV_8UC3, cv::Scalar::all(255)), {face(box)}, options, rng, output, faces);
  return output;
}

TEST(Augment, CopesWithAnImageThatIsAllLength) {
  std::vector<Face> faces;
  const cv::Mat output = crop_of_white({20000, 10}, {100, 1, 15000, 8}, faces);
  EXPECT_EQ(output.size(), cv::Size(100, 100));
  EXPECT_EQ(output.at<cv::Vec3b>(0, 50), cv::Vec3b(255, 255, 255));
  EXPECT_EQ(output.at<cv::Vec3b>(50, 50), cv::Vec3b(104, 117, 123));
}

TEST(Augment, FillsWhatLiesOutsideWithTheMeanColour) {
  std::vector<Face> faces;
  const cv::Mat output = crop_of_white({200, 50}, {10, 2, 150, 46}, faces);
  EXPECT_EQ(output.at<cv::Vec3b>(90, 50), cv::Vec3b(104, 117, 123));
  EXPECT_EQ(output.at<cv::Vec3b>(10, 50), cv::Vec3b(255, 255, 255));
  EXPECT_NEAR(faces.at(0).box.width, 75, 1e-3);
}

}  // namespace
}  // namespace hyperfd
