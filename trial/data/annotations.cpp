#include "trial/data/annotations.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>
#include <optional>
#include <unordered_map>
#include <unordered_set>

#include "trial/data/box_repair.h"
#include "trial/data/coco_entry.h"
#include "tuner/base/error.h"
#include "tuner/base/files.h"
#include "tuner/base/json.h"
#include "tuner/base/python_json.h"

namespace hyperfd {
namespace {

// The name as given, or inside images/ if it is only there; "" when there is no such file. `obstacle` gets the file and
// what keeps anybody from looking: a folder that may not be entered, say.
std::string existing_file(const std::string& folder, const CocoEntry& entry, std::string& obstacle) {
  const Json* name = entry.find("file_name");
  if (!name || !name->is_string() || *name == "") entry.fail("file_name", "a file name");
  const std::string file = name->get<std::string>();
  const std::filesystem::path path(file);
  if (path.is_absolute() || file.find('\0') != std::string::npos ||
      std::find(path.begin(), path.end(), "..") != path.end()) {
    entry.fail("file_name", "a path inside the data set's folder");
  }
  for (const std::string& candidate : {file, "images/" + file}) {
    std::error_code error;
    const std::filesystem::file_status status = std::filesystem::status(folder + "/" + candidate, error);
    if (std::filesystem::is_regular_file(status)) return candidate;
    // An overlong name is a missing file, too.
    if (status.type() == std::filesystem::file_type::none && error != std::errc::filename_too_long)
      obstacle = folder + "/" + candidate + ": " + error.message();
  }
  return "";
}

std::optional<Landmarks> landmarks_of(const CocoEntry& entry) {
  const Json* keypoints = entry.find("keypoints");
  if (!keypoints || (keypoints->is_array() && keypoints->empty())) return std::nullopt;
  const std::vector<double> numbers = entry.numbers("keypoints", 15);
  Landmarks landmarks;
  for (std::size_t i = 0; i < landmarks.size(); ++i) {
    const auto x = static_cast<float>(numbers[3 * i]), y = static_cast<float>(numbers[3 * i + 1]);
    const double visibility = numbers[3 * i + 2];
    if (!std::isfinite(x) || !std::isfinite(y) || !(visibility > 0)) return std::nullopt;
    landmarks[i] = {x, y};
  }
  return landmarks;
}

}  // namespace

std::vector<AnnotatedImage> read_annotations(const std::string& folder, Warnings& warnings) {
  const std::string file = folder + "/annotations.json";
  const Json root = parse_json(without_nan(read_file(file)), file);
  if (!root.is_object())
    throw InputError(file + ": expected an object with images and annotations, got " + brief(root));

  std::vector<AnnotatedImage> images;
  constexpr std::size_t kMissing = std::numeric_limits<std::size_t>::max();
  std::unordered_map<std::string, std::size_t> index_of_id, index_of_file;
  const Json& image_list = list_in(root, "images", file);
  if (image_list.empty()) throw InputError(file + ": images: expected at least one image, got []");
  std::string unreachable;
  for (std::size_t i = 0; i < image_list.size(); ++i) {
    const CocoEntry entry(file, "images", i, image_list[i]);
    const std::string id = entry.id("id");
    AnnotatedImage image;
    image.id = id;
    std::string obstacle;
    image.file = existing_file(folder, entry, obstacle);
    if (image.file.empty() && unreachable.empty()) unreachable = obstacle;
    image.width = entry.pixels("width");
    image.height = entry.pixels("height");
    const std::size_t index = image.file.empty() ? kMissing : images.size();
    const std::string name = entry.find("file_name")->get<std::string>();
    if (!index_of_id.emplace(id, index).second) {
      warnings.add("images with an id that an earlier one has, dropped", name);
    } else if (index == kMissing && !obstacle.empty()) {
      warnings.add("images that cannot be reached, dropped", obstacle);
    } else if (index == kMissing) {
      warnings.add("images whose file is missing, dropped", name);
    } else if (const auto [twin, is_new] = index_of_file.emplace(image.file, index); !is_new) {
      warnings.add("images listed again under another id, merged", name);
      index_of_id[id] = twin->second;
    } else {
      images.push_back(std::move(image));
    }
  }
  if (images.empty()) {
    const std::string none = file + ": none of the " + std::to_string(image_list.size()) + " images listed ";
    throw InputError(none + (unreachable.empty() ? "is in " + folder : "can be reached: " + unreachable));
  }

  const std::string face = face_category(root, file);
  const Json& annotations = list_in(root, "annotations", file);
  std::unordered_set<std::string> annotation_ids;
  for (std::size_t i = 0; i < annotations.size(); ++i) {
    const CocoEntry entry(file, "annotations", i, annotations[i]);
    const std::string example = "annotations[" + std::to_string(i) + "]";
    if (entry.find("id") && !annotation_ids.insert(entry.id("id")).second) {
      warnings.add("annotations with an id that an earlier one has", example);
    }
    if (entry.find("category_id") && entry.id("category_id") != face) {
      warnings.add("annotations of another category than face, dropped", example);
      continue;
    }
    const std::string image_id = entry.id("image_id");
    const auto index = index_of_id.find(image_id);
    if (index == index_of_id.end()) {
      warnings.add("annotations of an unknown image, dropped", example + ".image_id: " + image_id);
      continue;
    }
    if (index->second == kMissing) continue;
    AnnotatedImage& image = images[index->second];
    Face annotated;
    annotated.ignored = entry.flag("iscrowd");
    annotated.landmarks = landmarks_of(entry);
    const std::vector<double> bbox = entry.numbers("bbox", 4);
    const Box given{static_cast<float>(bbox[0]), static_cast<float>(bbox[1]), static_cast<float>(bbox[2]),
                    static_cast<float>(bbox[3])};
    if (const std::optional<Box> box =
            usable_box(given, image.width, image.height, image.file + ": " + example, warnings)) {
      annotated.box = *box;
      image.faces.push_back(annotated);
    }
  }
  return images;
}

}  // namespace hyperfd
