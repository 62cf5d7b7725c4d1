#include "trial/data/found_faces.h"

#include "trial/data/box_repair.h"
#include "trial/data/coco_entry.h"
#include "tuner/base/error.h"
#include "tuner/base/files.h"

namespace hyperfd {
namespace {

Box to_box(const std::vector<double>& numbers) {
  return {static_cast<float>(numbers[0]), static_cast<float>(numbers[1]), static_cast<float>(numbers[2]),
          static_cast<float>(numbers[3])};
}

}  // namespace

DetectionsOfImages read_coco_results(const std::string& file, const std::vector<AnnotatedImage>& images,
                                     Warnings& warnings) {
  const Json root = parse_json(read_file(file), file);
  if (!root.is_array()) throw InputError(file + ": expected a list of detections, got " + brief(root));
  std::unordered_map<std::string, const AnnotatedImage*> image_of_id;
  for (const AnnotatedImage& image : images) image_of_id.emplace(image.id, &image);

  DetectionsOfImages detections;
  for (std::size_t i = 0; i < root.size(); ++i) {
    const CocoEntry entry(file, "", i, root[i]);
    const std::string id = entry.id("image_id");
    const std::vector<double> box = entry.numbers("bbox", 4);
    Detection detection;
    const Json* score = entry.find("score");
    if (!score || !score->is_number() || !(*score >= 0) || !(*score <= 1)) entry.fail("score", "a number in [0, 1]");
    detection.score = score->get<float>();
    if (const Json* keypoints = entry.find("keypoints"); keypoints && !(keypoints->is_array() && keypoints->empty())) {
      const std::vector<double> numbers = entry.numbers("keypoints", 15);
      for (std::size_t k = 0; k < detection.landmarks.size(); ++k) {
        detection.landmarks[k] = {static_cast<float>(numbers[3 * k]), static_cast<float>(numbers[3 * k + 1])};
      }
    }
    const auto image = image_of_id.find(id);
    if (image == image_of_id.end()) {
      warnings.add("detections in images that are not in the data set, dropped", entry.place() + ".image_id: " + id);
      continue;
    }
    const AnnotatedImage& known = *image->second;
    // An edge crossed by a pixel or two is how detectors are, and no news to the user.
    Warnings clipped;
    if (const auto usable = usable_box(to_box(box), known.width, known.height, "", clipped)) {
      detection.box = *usable;
      detections[id].push_back(detection);
    } else {
      warnings.add("detections without a box in their image, dropped",
                   entry.place() + ".bbox: " + brief(root[i]["bbox"]));
    }
  }
  if (detections.empty() && !root.empty()) {
    throw InputError(file + ": none of its " + std::to_string(root.size()) +
                     " detections is in an image of the data set; image_id means the id in annotations.json");
  }
  return detections;
}

}  // namespace hyperfd
