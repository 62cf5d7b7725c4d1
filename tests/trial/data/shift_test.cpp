#include "trial/data/shift/shift.h"

#include <cmath>

#include <gmock/gmock.h>
#include <opencv2/imgproc.hpp>

#include "tests/trial/data/temporary_dataset.h"
#include "trial/data/shift/geometry.h"

namespace hyperfd {
namespace {

using testing::HasSubstr;
using testing::SizeIs;

// A face drawn as a red ellipse on green, its landmarks as single blue dots that survive interpolation.
struct Picture {
  Box box;
  Landmarks landmarks{};

  ShiftedImage image(cv::Size size = {240, 180}) const {
    ShiftedImage image{size, {{box, false, landmarks}}, cv::Mat(size, CV_8UC3, cv::Scalar(0, 90, 0))};
    const auto fixed = [](double value) { return cvRound(value * 256); };
    // OpenCV's coordinates are of pixel centres.
    cv::ellipse(image.pixels, cv::Point(fixed(box.x + box.width / 2 - 0.5), fixed(box.y + box.height / 2 - 0.5)),
                cv::Size(fixed(box.width / 2), fixed(box.height / 2)), 0, 0, 360, cv::Scalar(0, 90, 255), cv::FILLED,
                cv::LINE_8, 8);
    for (const Point& point : landmarks) {
      cv::circle(image.pixels, cv::Point(fixed(point.x - 0.5), fixed(point.y - 0.5)), fixed(2.5),
                 cv::Scalar(255, 90, 255), cv::FILLED, cv::LINE_8, 8);
    }
    return image;
  }
};

Picture centred_face() {
  return {{80, 50, 60, 80}, {{{98, 76}, {122, 76}, {110, 92}, {100, 110}, {120, 110}}}};
}

// Where a channel is bright.
cv::Mat mask_of(const cv::Mat& pixels, int channel) {
  cv::Mat values;
  cv::extractChannel(pixels, values, channel);
  return values > 127;
}

void expect_near(const Box& box, const cv::Rect& drawn, float tolerance) {
  EXPECT_NEAR(box.x, static_cast<float>(drawn.x), tolerance);
  EXPECT_NEAR(box.y, static_cast<float>(drawn.y), tolerance);
  EXPECT_NEAR(box.right(), static_cast<float>(drawn.x + drawn.width), tolerance);
  EXPECT_NEAR(box.bottom(), static_cast<float>(drawn.y + drawn.height), tolerance);
}

// Each landmark is the middle of a blue dot.
void expect_landmarks_on_dots(const ShiftedImage& image, const Face& face, double tolerance) {
  ASSERT_TRUE(face.landmarks);
  cv::Mat labels, statistics, centres;
  const int dots = cv::connectedComponentsWithStats(mask_of(image.pixels, 0), labels, statistics, centres);
  for (const Point& point : *face.landmarks) {
    double nearest = 1e9;
    for (int dot = 1; dot < dots; ++dot) {
      nearest = std::min(
          nearest, std::hypot(centres.at<double>(dot, 0) + 0.5 - point.x, centres.at<double>(dot, 1) + 0.5 - point.y));
    }
    EXPECT_LT(nearest, tolerance) << point.x << ", " << point.y;
  }
}

Shift shift_of(const Json& description) {
  ShiftParameters parameters(description, "test");
  Shift shift = shift_kind(parameters.text("kind"), "test").make(parameters);
  parameters.finish();
  return shift;
}

ShiftedImage shifted(const Json& description, ShiftedImage image, std::uint64_t seed = 1,
                     const AnotherImage& another = {}) {
  Rng rng(seed);
  shift_of(description)(image, rng, another);
  return image;
}

Json rotate(double degrees) {
  return {{"kind", "rotate"}, {"degrees", degrees}};
}

TEST(GeometricShifts, BoxesAndLandmarksFollowThePixels) {
  const Json shifts[] = {rotate(180),
                         rotate(90),
                         rotate(-90),
                         rotate(33),
                         {{"kind", "rotate"}, {"degrees", 10}, {"spread", 60}},
                         {{"kind", "low_resolution"}, {"scale", 0.53}},
                         {{"kind", "portrait"}, {"margin", 1.6}, {"side", 200}},
                         {{"kind", "fisheye"}, {"view", 130}},
                         {{"kind", "fisheye"}, {"view", 150}, {"off_centre", 0.3}}};
  for (const Json& shift : shifts) {
    SCOPED_TRACE(shift.dump());
    const bool enlarges = shift["kind"] == "fisheye";  // about 2.5 times in the middle, a pixel's error with it
    for (std::uint64_t seed : {1, 2, 3}) {
      const ShiftedImage result = shifted(shift, centred_face().image(), seed);
      EXPECT_EQ(result.pixels.size(), result.size);
      ASSERT_THAT(result.faces, SizeIs(1));
      EXPECT_FALSE(result.faces[0].ignored);
      expect_near(result.faces[0].box, cv::boundingRect(mask_of(result.pixels, 2)), enlarges ? 2.5f : 1.5f);
      expect_landmarks_on_dots(result, result.faces[0], 1.5);
    }
  }
}

TEST(GeometricShifts, RightAnglesAreExact) {
  const ShiftedImage original = centred_face().image();
  const ShiftedImage turned = shifted(rotate(90), original);
  cv::Mat expected;
  cv::rotate(original.pixels, expected, cv::ROTATE_90_COUNTERCLOCKWISE);
  EXPECT_EQ(cv::norm(turned.pixels, expected, cv::NORM_INF), 0);
  const ShiftedImage back = shifted(rotate(180), shifted(rotate(180), original));
  EXPECT_EQ(cv::norm(back.pixels, original.pixels, cv::NORM_INF), 0);
  EXPECT_NEAR(back.faces[0].box.x, original.faces[0].box.x, 1e-4);
  EXPECT_NEAR(back.faces[0].box.height, original.faces[0].box.height, 1e-4);
}

TEST(GeometricShifts, FacesAreTheSameWithAndWithoutPixels) {
  for (const ShiftKind& kind : shift_kinds()) {
    SCOPED_TRACE(kind.name);
    Rng strengths(3);
    for (int i = 0; i < 5; ++i) {
      Json shift = {{"kind", kind.name}};
      shift.update(kind.draw(strengths));
      const ShiftedImage original = centred_face().image();
      const auto another = [&](bool pixels) {
        return [=](Rng&) {
          return ShiftedImage{original.size, original.faces, pixels ? original.pixels.clone() : cv::Mat()};
        };
      };
      ShiftedImage copy = original;
      copy.pixels = original.pixels.clone();
      const ShiftedImage with = shifted(shift, copy, 7, another(true));
      const ShiftedImage without = shifted(shift, {original.size, original.faces, {}}, 7, another(false));
      EXPECT_EQ(with.pixels.size(), with.size);
      EXPECT_EQ(with.pixels.type(), CV_8UC3);
      EXPECT_TRUE(without.pixels.empty());
      EXPECT_EQ(with.size, without.size);
      ASSERT_EQ(with.faces.size(), without.faces.size());
      for (std::size_t f = 0; f < with.faces.size(); ++f) {
        EXPECT_EQ(with.faces[f].box.x, without.faces[f].box.x);
        EXPECT_EQ(with.faces[f].box.width, without.faces[f].box.width);
        EXPECT_EQ(with.faces[f].ignored, without.faces[f].ignored);
      }
      if (!kind.moves_faces) {
        EXPECT_EQ(with.faces[0].box.x, original.faces[0].box.x);
      }
    }
  }
}

TEST(GeometricShifts, CutFacesAreIgnoredOrDropped) {
  const auto placed = [](const Box& box) {
    return scale_and_move({{box, false, Landmarks{{{9, 9}, {9, 9}, {9, 9}, {9, 9}, {-1, 9}}}}}, 1, 1, {}, {100, 100});
  };
  EXPECT_FALSE(placed({-4, 10, 20, 20}).at(0).ignored);
  EXPECT_EQ(placed({-4, 10, 20, 20}).at(0).box.width, 16);
  EXPECT_FALSE(placed({-4, 10, 20, 20}).at(0).landmarks) << "one is outside";
  EXPECT_TRUE(placed({-11, 10, 20, 20}).at(0).ignored) << "more than half is outside";
  EXPECT_TRUE(placed({10, 10, 5.5f, 20}).at(0).ignored) << "too small";
  EXPECT_THAT(placed({-19.5f, 10, 20, 20}), SizeIs(0)) << "nothing is left";
  EXPECT_THAT(placed({120, 10, 20, 20}), SizeIs(0));
}

TEST(GeometricShifts, AFaceBehindTheFisheyesEdgeIsNone) {
  const Picture corner{{1, 1, 12, 12}, {}};
  ShiftedImage image = corner.image({200, 200});
  image.faces.push_back(centred_face().image().faces[0]);
  const ShiftedImage result = shifted({{"kind", "fisheye"}, {"view", 140}}, image);
  std::size_t counting = 0;
  for (const Face& face : result.faces) counting += !face.ignored;
  EXPECT_EQ(counting, 1u);
}

TEST(Crowd, EveryMembersFaceIsWhereItsPixelsAre) {
  const auto another = [](Rng&) { return centred_face().image(); };
  const ShiftedImage crowd =
      shifted({{"kind", "crowd"}, {"rows", 2}, {"columns", 3}, {"side", 600}}, centred_face().image(), 1, another);
  EXPECT_EQ(crowd.size, cv::Size(600, 400));
  ASSERT_THAT(crowd.faces, SizeIs(6));
  for (const Face& face : crowd.faces) {
    const Box& box = face.box;
    const cv::Rect around(cvFloor(box.x) - 5, cvFloor(box.y) - 5, cvCeil(box.width) + 10, cvCeil(box.height) + 10);
    cv::Rect drawn = cv::boundingRect(mask_of(crowd.pixels, 2)(around));
    expect_near(box, drawn + around.tl(), 1.5f);
    expect_landmarks_on_dots(crowd, face, 1);
  }
}

TEST(Occlusion, CoversItsPartOfTheFaceAndNothingElse) {
  const ShiftedImage original = centred_face().image();
  ShiftedImage copy = original;
  copy.pixels = original.pixels.clone();
  const ShiftedImage covered =
      shifted({{"kind", "occlude"}, {"part", "lower"}, {"height", 0.5}, {"share", 1}}, std::move(copy));
  cv::Mat difference;
  cv::absdiff(covered.pixels, original.pixels, difference);
  cv::cvtColor(difference, difference, cv::COLOR_BGR2GRAY);
  const cv::Rect changed = cv::boundingRect(difference > 0);
  EXPECT_GT(changed.y, 50 + 80 * 0.25);
  EXPECT_LT(changed.y, 50 + 80 * 0.6);
  EXPECT_GE(changed.x, 80 - 4);
  EXPECT_LE(changed.x + changed.width, 140 + 4);
}

TEST(ShiftParameters, ErrorsNameThePlaceTheKeyAndTheValue) {
  const auto message = [](const Json& shift) { return input_error_of([&] { shift_of(shift); }); };
  EXPECT_EQ(message({{"kind", "blur"}}), "test.sigma: expected a number in [0.1, 50], it is missing");
  EXPECT_EQ(message({{"kind", "blur"}, {"sigma", "2"}}), "test.sigma: expected a number in [0.1, 50], got \"2\"");
  EXPECT_EQ(message({{"kind", "blur"}, {"sigma", 0}}), "test.sigma: expected a number in [0.1, 50], got 0");
  EXPECT_EQ(message({{"kind", "jpeg"}, {"quality", 1.5}}), "test.quality: expected an integer in [1, 100], got 1.5");
  EXPECT_THAT(message({{"kind", "blurr"}}), HasSubstr("unknown kind \"blurr\"; did you mean \"blur\"?"));
  EXPECT_THAT(message({{"kind", "blur"}, {"sigma", 1}, {"sgima", 1}}), HasSubstr("unknown key \"sgima\""));
  EXPECT_THAT(message({{"kind", "palette"}, {"map", "jett"}}), HasSubstr("did you mean \"jet\"?"));
  EXPECT_EQ(message({{"sigma", 1}}), "test.kind: expected a name, it is missing");
  EXPECT_EQ(message(7), "test: expected an object with a kind, got 7");
}

}  // namespace
}  // namespace hyperfd
