#include "trial/data/annotations.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <filesystem>
#include <limits>
#include <optional>
#include <unordered_map>
#include <unordered_set>

#include "trial/data/box_repair.h"
#include "trial/data/json_entry.h"
#include "tuner/base/error.h"
#include "tuner/base/files.h"
#include "tuner/base/json.h"

namespace hyperfd {
namespace {

// Python's json module writes NaN and Infinity, which JSON does not have: they become null.
std::string without_nan(std::string text) {
  if (text.find("NaN") == std::string::npos && text.find("Infinity") == std::string::npos) return text;
  std::string clean;
  clean.reserve(text.size());
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto here = [&](const char* word) {
      return text.compare(i, std::char_traits<char>::length(word), word) == 0;
    };
    if (in_string && text[i] == '\\' && i + 1 < text.size())
      clean += text[i++];
    else if (text[i] == '"')
      in_string = !in_string;
    std::size_t length = 0;
    if (!in_string) length = here("NaN") ? 3 : here("Infinity") ? 8 : here("-Infinity") ? 9 : 0;
    if (length > 0) {
      clean += "null";
      i += length - 1;
    } else {
      clean += text[i];
    }
  }
  return clean;
}

const Json& list_in(const Json& root, const char* key, const std::string& file) {
  const auto list = root.find(key);
  if (list == root.end() || !list->is_array()) {
    throw InputError(file + ": " + key + ": expected a list, " +
                     (list == root.end() ? "it is missing" : "got " + brief(*list)));
  }
  return *list;
}

// The id of the category that means a face, as text.
std::string face_category(const Json& root, const std::string& file) {
  if (!root.contains("categories") || root["categories"].is_null()) return "1";
  const Json& categories = list_in(root, "categories", file);
  for (std::size_t i = 0; i < categories.size(); ++i) {
    const JsonEntry category(file, "categories", i, categories[i]);
    const Json* name = category.find("name");
    if (categories.size() == 1 || (name && name->is_string() && *name == "face")) return category.id("id");
  }
  return "1";
}

// The name as given, or inside images/ if it is only there; "" when there is no such file.
std::string existing_file(const std::string& folder, const JsonEntry& entry) {
  const Json* name = entry.find("file_name");
  if (!name || !name->is_string() || *name == "") entry.fail("file_name", "a file name");
  const std::string file = name->get<std::string>();
  const std::filesystem::path path(file);
  if (path.is_absolute() || file.find('\0') != std::string::npos ||
      std::find(path.begin(), path.end(), "..") != path.end()) {
    entry.fail("file_name", "a path inside the data set's folder");
  }
  std::error_code error;  // an overlong name is a missing file, too
  for (const std::string& candidate : {file, "images/" + file}) {
    if (std::filesystem::is_regular_file(folder + "/" + candidate, error)) return candidate;
  }
  return "";
}

std::optional<Landmarks> landmarks_of(const JsonEntry& entry) {
  const Json* keypoints = entry.find("keypoints");
  if (!keypoints || (keypoints->is_array() && keypoints->empty())) return std::nullopt;
  const std::vector<float> numbers = entry.numbers("keypoints", 15);
  Landmarks landmarks;
  for (std::size_t i = 0; i < landmarks.size(); ++i) {
    const float x = numbers[3 * i], y = numbers[3 * i + 1], visibility = numbers[3 * i + 2];
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
  for (std::size_t i = 0; i < image_list.size(); ++i) {
    const JsonEntry entry(file, "images", i, image_list[i]);
    const std::string id = entry.id("id");
    AnnotatedImage image;
    image.id = id;
    image.file = existing_file(folder, entry);
    image.width = entry.pixels("width");
    image.height = entry.pixels("height");
    const std::size_t index = image.file.empty() ? kMissing : images.size();
    const std::string name = entry.find("file_name")->get<std::string>();
    if (!index_of_id.emplace(id, index).second) {
      warnings.add("images with an id that an earlier one has, dropped", name);
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
    throw InputError(file + ": none of the " + std::to_string(image_list.size()) + " images listed is in " + folder);
  }

  const std::string face = face_category(root, file);
  const Json& annotations = list_in(root, "annotations", file);
  std::unordered_set<std::string> annotation_ids;
  for (std::size_t i = 0; i < annotations.size(); ++i) {
    const JsonEntry entry(file, "annotations", i, annotations[i]);
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
    const std::vector<float> bbox = entry.numbers("bbox", 4);
    if (const std::optional<Box> box = usable_box({bbox[0], bbox[1], bbox[2], bbox[3]}, image.width, image.height,
                                                  image.file + ": " + example, warnings)) {
      annotated.box = *box;
      image.faces.push_back(annotated);
    }
  }
  return images;
}

}  // namespace hyperfd
