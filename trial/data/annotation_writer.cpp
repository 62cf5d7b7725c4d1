#include "trial/data/annotation_writer.h"

#include <algorithm>
#include <charconv>
#include <unordered_set>

#include "tuner/base/error.h"
#include "tuner/base/files.h"
#include "tuner/base/json.h"

namespace hyperfd {
namespace {

// The double whose shortest text is the float's: 0.1, not 0.10000000149011612.
double shortest(float value) {
  char text[32];
  const char* end = std::to_chars(text, text + sizeof text, value).ptr;
  double result = 0;
  std::from_chars(text, end, result);
  return result;
}

bool have_own_ids(const std::vector<AnnotatedImage>& images) {
  std::unordered_set<std::string> ids;
  return std::all_of(images.begin(), images.end(),
                     [&](const AnnotatedImage& image) { return !image.id.empty() && ids.insert(image.id).second; });
}

Json face_json(const Face& face) {
  Json json = {
      {"category_id", 1},
      {"bbox", {shortest(face.box.x), shortest(face.box.y), shortest(face.box.width), shortest(face.box.height)}},
      {"area", shortest(face.box.area())},
      {"iscrowd", face.ignored ? 1 : 0}};
  if (face.landmarks) {
    Json keypoints = Json::array();
    for (const Point& point : *face.landmarks) {
      keypoints.push_back(shortest(point.x));
      keypoints.push_back(shortest(point.y));
      keypoints.push_back(2);  // COCO: labelled and visible
    }
    json["keypoints"] = std::move(keypoints);
    json["num_keypoints"] = face.landmarks->size();
  }
  return json;
}

}  // namespace

bool is_utf8(const std::string& text) {
  return Json::parse(Json(text).dump(-1, ' ', false, Json::error_handler_t::replace)) == Json(text);
}

std::string annotations_json(const std::vector<AnnotatedImage>& images) {
  const bool own_ids = have_own_ids(images);
  Json image_list = Json::array(), annotations = Json::array();
  for (const AnnotatedImage& image : images) {
    if (!is_utf8(image.file)) {
      throw InputError(brief(Json(image.file)) + ": expected a file name in UTF-8, which JSON needs");
    }
    const Json id = own_ids ? parse_json(image.id, "image id") : Json(image_list.size() + 1);
    Json entry = {{"id", id}, {"file_name", image.file}};
    if (image.width > 0) entry["width"] = image.width;
    if (image.height > 0) entry["height"] = image.height;
    image_list.push_back(std::move(entry));
    for (const Face& face : image.faces) {
      Json annotation = {{"id", annotations.size() + 1}, {"image_id", id}};
      annotation.update(face_json(face));
      annotations.push_back(std::move(annotation));
    }
  }
  // A line per entry: people look into this file, and compare two of them.
  const auto lines = [](const Json& list) {
    std::string text = "[";
    for (std::size_t i = 0; i < list.size(); ++i) text += (i ? ",\n" : "\n") + list[i].dump();
    return text + "]";
  };
  const Json face = {{"id", 1},
                     {"name", "face"},
                     {"keypoints", {"left_eye", "right_eye", "nose", "left_mouth", "right_mouth"}},
                     {"skeleton", Json::array()}};
  return "{\"images\": " + lines(image_list) + ",\n\"categories\": [" + face.dump() +
         "],\n\"annotations\": " + lines(annotations) + "}\n";
}

void write_annotations(const std::string& file, const std::vector<AnnotatedImage>& images) {
  write_file_atomically(file, annotations_json(images));
}

}  // namespace hyperfd
