#include "trial/data/drawing.h"

#include <gtest/gtest.h>
#include <opencv2/imgproc.hpp>

namespace hyperfd {
namespace {

bool is_orange(const cv::Vec3b& pixel) {
  return pixel[2] > 180 && pixel[1] > 60 && pixel[0] < 100;
}

TEST(DrawDetections, EnlargesSmallImagesAndLeavesLargeOnes) {
  EXPECT_EQ(draw_detections(cv::Mat::zeros(40, 80, CV_8UC3), {}, {}).size(), cv::Size(600, 300));
  EXPECT_EQ(draw_detections(cv::Mat::zeros(700, 900, CV_8UC3), {}, {}).size(), cv::Size(900, 700));
}

TEST(DrawDetections, PutsBoxesWhereTheyBelong) {
  const cv::Mat image = cv::Mat::zeros(100, 200, CV_8UC3);
  const Detection detection{{50, 40, 60, 50}, 0.87f, {}};
  const Face face{{10, 10, 20, 20}, false, std::nullopt};
  const cv::Mat drawn = draw_detections(image, {detection}, {face});
  EXPECT_TRUE(is_orange(drawn.at<cv::Vec3b>(200, 50 * 3)));            // left edge of the detection, enlarged threefold
  EXPECT_TRUE(is_orange(drawn.at<cv::Vec3b>(90 * 3, 80 * 3)));         // its bottom edge
  EXPECT_GT(drawn.at<cv::Vec3b>(20 * 3, 10 * 3)[1], 100);              // left edge of the face
  EXPECT_EQ(drawn.at<cv::Vec3b>(65 * 3, 80 * 3), cv::Vec3b(0, 0, 0));  // nothing inside
  EXPECT_EQ(cv::countNonZero(image.reshape(1)), 0) << "the original was drawn on";
}

TEST(DrawDetections, ShowsLandmarksUnlessTheNetworkNeverLearnedThem) {
  const cv::Mat image = cv::Mat::zeros(100, 200, CV_8UC3);
  const auto centre = [&](const Landmarks& landmarks) {
    const Detection detection{{50, 20, 60, 60}, 0.9f, landmarks};
    return draw_detections(image, {detection}, {}).at<cv::Vec3b>(50 * 3, 80 * 3);
  };
  EXPECT_TRUE(is_orange(centre({{{65, 40}, {95, 40}, {80, 50}, {68, 65}, {92, 65}}})));
  EXPECT_FALSE(is_orange(centre({{{79, 50}, {81, 50}, {80, 50}, {79, 51}, {81, 51}}})));
}

TEST(DrawDetections, CopesWithBoxesOutsideTheImage) {
  const Detection detection{{-50, -40, 600, 500}, 0.5f, {}};
  EXPECT_EQ(draw_detections(cv::Mat::zeros(10, 10, CV_8UC3), {detection}, {}).size(), cv::Size(600, 600));
}

TEST(Tile, ScalesEachImageIntoItsCell) {
  const cv::Mat wide(50, 200, CV_8UC3, cv::Scalar(0, 0, 255)), tall(400, 100, CV_8UC3, cv::Scalar(255, 0, 0));
  const cv::Mat sheet = tile({wide, tall, wide}, 2, {100, 100});
  EXPECT_EQ(sheet.size(), cv::Size(2 * 106 + 6, 2 * 106 + 6));
  EXPECT_EQ(sheet.at<cv::Vec3b>(56, 56), cv::Vec3b(0, 0, 255));
  EXPECT_EQ(sheet.at<cv::Vec3b>(10, 56), cv::Vec3b(32, 32, 32));    // above the wide image
  EXPECT_EQ(sheet.at<cv::Vec3b>(10, 162), cv::Vec3b(255, 0, 0));    // the tall image fills the height
  EXPECT_EQ(sheet.at<cv::Vec3b>(162, 162), cv::Vec3b(32, 32, 32));  // empty cell
  EXPECT_TRUE(tile({}, 2, {100, 100}).empty());
}

}  // namespace
}  // namespace hyperfd
