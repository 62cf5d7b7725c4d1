#include <filesystem>

#include <pugixml.hpp>

#include "trial/data/import/category_choice.h"
#include "trial/data/import/label_format.h"
#include "trial/data/import/text_file.h"
#include "tuner/base/error.h"
#include "tuner/base/files.h"

namespace fs = std::filesystem;

namespace hyperfd {
namespace {

std::string annotations_folder(const std::string& source) {
  const std::string usual = source + "/Annotations";
  return fs::is_directory(usual) ? usual : source;
}

std::string text_of(const pugi::xml_node& node, const char* child) {
  const std::string text = node.child_value(child);
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  return first == std::string::npos ? "" : text.substr(first, text.find_last_not_of(" \t\r\n") + 1 - first);
}

std::optional<float> number_in(const pugi::xml_node& node, const char* child) {
  const auto numbers = parse_numbers(text_of(node, child));
  if (!numbers || numbers->size() != 1) return std::nullopt;
  return static_cast<float>(numbers->front());
}

// The names under which the image may lie: <filename> in the XML's sub-folder, as it stands or without its own folders
// (some tools write whole paths); else the XML's own name with an image's ending.
std::vector<std::string> image_names(const std::string& xml, const std::string& filename) {
  const fs::path folder = fs::path(xml).parent_path();
  std::vector<std::string> names;
  if (!filename.empty()) {
    names.push_back((folder / filename).generic_string());
    const std::string last = filename.substr(filename.find_last_of("/\\") + 1);
    if (last != filename && !last.empty()) names.push_back((folder / last).generic_string());
  }
  names.push_back((folder / fs::path(xml).stem()).generic_string());
  return names;
}

}  // namespace

bool is_voc_folder(const std::string& source) {
  std::error_code error;
  const fs::directory_options options = fs::directory_options::skip_permission_denied;
  for (fs::recursive_directory_iterator entry(annotations_folder(source), options, error), end; !error && entry != end;
       entry.increment(error)) {
    if (entry->path().extension() == ".xml") return true;
  }
  return false;
}

std::vector<LabelledImage> read_voc_labels(const std::string& source, const std::vector<std::string>& categories,
                                           Warnings& warnings) {
  const std::string folder = annotations_folder(source);
  const std::vector<std::string> files = files_below(folder, ".xml");
  if (files.empty()) throw InputError(folder + ": expected XML files of Pascal VOC, there are none");
  CategoryChoice choice(categories, "face");
  std::vector<LabelledImage> images;
  for (const std::string& file : files) {
    const std::string content = read_file(folder + "/" + file);
    pugi::xml_document document;
    // pugixml knows no entities but the five of XML itself, so documents that blow up by expansion stay small.
    const pugi::xml_parse_result parsed = document.load_buffer(content.data(), content.size());
    if (!parsed) {
      warnings.add("files that are not XML, skipped",
                   file + ": byte " + std::to_string(parsed.offset) + ": " + parsed.description());
      continue;
    }
    const pugi::xml_node root = document.child("annotation");
    if (!root) {
      warnings.add("XML files that are no annotation, skipped",
                   file + ": expected <annotation>, got " + quoted(document.document_element().name()));
      continue;
    }
    LabelledImage image;
    image.place = file;
    image.names = image_names(file, text_of(root, "filename"));
    const auto size = [&](const char* side) {
      const float pixels = number_in(root.child("size"), side).value_or(0);
      return pixels > 0 && pixels < 1e6f ? static_cast<int>(pixels) : 0;
    };
    image.width = size("width");
    image.height = size("height");
    std::size_t number = 0;
    for (const pugi::xml_node& object : root.children("object")) {
      const std::string place = file + ": object " + std::to_string(++number);
      if (!choice.takes(text_of(object, "name"), place, warnings)) continue;
      const pugi::xml_node box = object.child("bndbox");
      float edges[4];
      const char* names[] = {"xmin", "ymin", "xmax", "ymax"};
      const char* wrong = nullptr;
      for (int i = 0; i < 4 && !wrong; ++i) {
        const std::optional<float> edge = number_in(box, names[i]);
        if (edge) edges[i] = *edge;
        if (!edge) wrong = names[i];
      }
      if (wrong) {
        warnings.add("objects without a box of four numbers, skipped",
                     place + ": " + wrong + ": " + quoted(text_of(box, wrong)));
        continue;
      }
      // Edges are taken as they stand. Pascal VOC's own count pixels from 1, but most tools that write this format
      // count from 0, and nothing in a file tells them apart.
      LabelledFace labelled;
      labelled.place = place;
      labelled.face.box = {edges[0], edges[1], edges[2] - edges[0], edges[3] - edges[1]};
      labelled.face.ignored = number_in(object, "difficult").value_or(0) != 0;
      image.faces.push_back(labelled);
    }
    images.push_back(std::move(image));
  }
  choice.check(folder);
  return images;
}

}  // namespace hyperfd
