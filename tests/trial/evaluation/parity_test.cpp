// Our AP against independent programs: on committed random boxes, and on a real detector's output where the face data
// is present.
#include <filesystem>
#include <map>

#include <gtest/gtest.h>

#include "trial/evaluation/average_precision.h"
#include "trial/evaluation/coco_average_precision.h"
#include "tuner/base/json.h"

namespace hyperfd {
namespace {

std::vector<ImageBoxes> golden_images(const Json& golden) {
  std::vector<ImageBoxes> images;
  for (const Json& entry : golden["images"]) {
    ImageBoxes& image = images.emplace_back();
    for (const Json& t : entry["truths"]) image.truths.push_back({t[0], t[1], t[2], t[3], t[4] == 1});
    for (const Json& d : entry["detections"]) image.detections.push_back({d[0], d[1], d[2], d[3], d[4]});
  }
  return images;
}

std::vector<ImageBoxes> real_images(const std::string& data, const std::string& domain) {
  const Json annotations = load_json_or_yaml(data + domain + "/annotations.json");
  const Json detections = load_json_or_yaml(data + "reference/coco_detections/" + domain + ".json");
  std::map<int, ImageBoxes> by_id;
  for (const Json& image : annotations["images"]) by_id[image["id"]];
  for (const Json& a : annotations["annotations"]) {
    const Json& box = a["bbox"];
    by_id[a["image_id"]].truths.push_back({box[0], box[1], box[2], box[3], a.value("iscrowd", 0) == 1});
  }
  for (const Json& d : detections) {
    const Json& box = d["bbox"];
    by_id[d["image_id"]].detections.push_back({box[0], box[1], box[2], box[3], d["score"]});
  }
  std::vector<ImageBoxes> images;
  for (auto& [id, image] : by_id) images.push_back(std::move(image));
  return images;
}

TEST(Parity, WithMmdetectionAndPycocotoolsOnRandomBoxes) {
  const Json golden = load_json_or_yaml(HYPERFD_SOURCE_DIR "/tests/trial/evaluation/average_precision_golden.json");
  const std::vector<ImageBoxes> images = golden_images(golden);
  EXPECT_NEAR(average_precision(images, 0.5, 0), golden["mmdetection"]["min_size_0"], 1e-9);
  EXPECT_NEAR(average_precision(images, 0.5, 20), golden["mmdetection"]["min_size_20"], 1e-9);
  const CocoAveragePrecision coco = coco_average_precision(images);
  EXPECT_NEAR(coco.ap, golden["pycocotools"]["AP"], 1e-9);
  EXPECT_NEAR(coco.ap50, golden["pycocotools"]["AP50"], 1e-9);
  EXPECT_NEAR(coco.ap75, golden["pycocotools"]["AP75"], 1e-9);
}

TEST(Parity, OfTheSinglePrecisionInterface) {
  const Json golden = load_json_or_yaml(HYPERFD_SOURCE_DIR "/tests/trial/evaluation/average_precision_golden.json");
  std::vector<std::vector<Detection>> detections;
  std::vector<std::vector<Face>> faces;
  const auto box = [](const auto& b) {
    return Box{static_cast<float>(b.x), static_cast<float>(b.y), static_cast<float>(b.width),
               static_cast<float>(b.height)};
  };
  for (const ImageBoxes& image : golden_images(golden)) {
    detections.emplace_back();
    for (const ScoredBox& d : image.detections) {
      detections.back().push_back({box(d), static_cast<float>(d.score), {}});
    }
    faces.emplace_back();
    for (const TruthBox& t : image.truths) faces.back().push_back({box(t), t.ignored, std::nullopt});
  }
  EXPECT_NEAR(average_precision(detections, faces), golden["mmdetection"]["min_size_0"], 1e-9);
  EXPECT_NEAR(average_precision(detections, faces, 0.5f, 20), golden["mmdetection"]["min_size_20"], 1e-9);
}

// What mmdet 2.28.2 (tpfp_default, mode "area", in double precision) and pycocotools say, to the last digit they print.
struct Expected {
  const char* domain;
  double area, area_from_20_pixels, ap, ap50, ap75;
};
const Expected kExpected[] = {
    {"anime", 0.2755602361644353, 0.3401032950835019, 0.08814129643040985, 0.27766252528048674, 0.031771170591292225},
    {"cartoon_dexter", 0.23768924099964445, 0.2629368892553544, 0.057991281508156856, 0.24062879232560136,
     0.006266519780073469},
    {"cmu_gray", 0.9563695482801053, 0.964557004210113, 0.4584708732165083, 0.9511575228111769, 0.3099802657077941},
    {"fddb", 0.9662517823021307, 0.9685150858002359, 0.4076097943794807, 0.962921124849517, 0.10218929917878256},
    {"mask", 0.7929421192320469, 0.8909057879992575, 0.2648013593068301, 0.789841397564052, 0.02858099311728406},
    {"portrait_lm5", 0.996549019849455, 0.9969964233405473, 0.7418346467433121, 0.9894515118196517, 0.9326072584486275},
    {"wider_crowd", 0.7578666663654842, 0.9231202753146195, 0.3699500819901957, 0.7551007734482473, 0.3248990856020568},
    {"wider_illum", 0.8820690628745693, 0.956297679834496, 0.5139848439122471, 0.8775465297086154, 0.5728268748930335},
    {"wider_occluded", 0.6953704561715757, 0.8182122781207667, 0.3373771325011665, 0.6939242825862958,
     0.2913173585256772},
    {"wider_pose", 0.7173443627661407, 0.7938569003833522, 0.3470911842605317, 0.7153435781272104, 0.29133900751715613},
};

class RealDetections : public testing::TestWithParam<Expected> {};

TEST_P(RealDetections, GiveTheApOfMmdetectionAndPycocotools) {
  const std::string data = HYPERFD_SOURCE_DIR "/../shared/data/";
  if (!std::filesystem::exists(data + "reference/coco_expected.json")) GTEST_SKIP() << data << " is not here";
  const Expected& expected = GetParam();
  const std::vector<ImageBoxes> images = real_images(data, expected.domain);
  EXPECT_NEAR(average_precision(images, 0.5, 0), expected.area, 1e-9);
  EXPECT_NEAR(average_precision(images, 0.5, 20), expected.area_from_20_pixels, 1e-9);
  const CocoAveragePrecision coco = coco_average_precision(images);
  EXPECT_NEAR(coco.ap, expected.ap, 1e-9);
  EXPECT_NEAR(coco.ap50, expected.ap50, 1e-9);
  EXPECT_NEAR(coco.ap75, expected.ap75, 1e-9);

  const Json reference = load_json_or_yaml(data + "reference/coco_expected.json")[expected.domain];
  const double half_a_digit = 5.001e-7;  // the file has six
  const ScoredVerdicts verdicts = coco_verdicts(images, 0.5);
  const PrecisionRecall curve = precision_recall(verdicts);
  EXPECT_EQ(verdicts.positives, reference["n_gt"]);
  EXPECT_NEAR(curve.recall.back(), reference["recall50"], half_a_digit);
  EXPECT_NEAR(area_under_envelope(curve), reference["VOC_allpoint_AP50"], half_a_digit);
  EXPECT_NEAR(mean_envelope_precision(curve, 11), reference["VOC_11point_AP50"], half_a_digit);
}

INSTANTIATE_TEST_SUITE_P(Domains, RealDetections, testing::ValuesIn(kExpected),
                         [](const auto& test) { return std::string(test.param.domain); });

}  // namespace
}  // namespace hyperfd
