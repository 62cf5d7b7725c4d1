#include "trial/data/import/label_format.h"

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "tuner/base/error.h"
#include "tuner/base/names.h"

namespace fs = std::filesystem;

namespace hyperfd {

const std::vector<LabelFormat>& label_formats() {
  static const std::vector<LabelFormat> formats = {
      {"wider", "WIDER FACE's text file: image, number of faces, a line of 4 or 10 numbers a face; invalid = ignore",
       is_wider_file, read_wider_labels},
      {"retinaface", "label.txt of RetinaFace: \"# image\", then a line a face: box, five landmarks, score",
       is_retinaface_file, read_retinaface_labels},
      {"voc", "folder of Pascal VOC's XML files, or the folder that holds Annotations/; difficult = ignore",
       is_voc_folder, read_voc_labels},
      {"yolo", "folder of YOLO's .txt files: class index, centre, width and height as fractions", is_yolo_folder,
       read_yolo_labels},
  };
  return formats;
}

const LabelFormat& choose_label_format(const std::string& name, const std::string& source) {
  std::error_code error;
  if (!fs::exists(source, error)) {
    throw InputError(source + ": expected labels to import, there is no such file or folder");
  }
  std::vector<std::string> names = {"auto"};
  for (const LabelFormat& format : label_formats()) {
    if (name == format.name || (name == "auto" && format.recognises(source))) return format;
    names.emplace_back(format.name);
  }
  if (name != "auto") throw InputError(unknown_name_message("label format", name, names));
  throw InputError(source + ": looks like none of the formats wider, retinaface, voc and yolo; name the format to " +
                   "learn what is wrong with it");
}

std::vector<std::string> files_below(const std::string& folder, const std::string& ending) {
  std::error_code error;
  if (!fs::is_directory(folder, error)) {
    throw InputError(folder + ": expected a folder of " + ending + " files, it is " +
                     (fs::exists(folder, error) ? "a file" : "not there"));
  }
  std::vector<std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder, fs::directory_options::skip_permission_denied)) {
    // Regular files only: a pipe would be waited for, a link to itself leads nowhere.
    if (entry.is_regular_file(error) && entry.path().extension() == ending) {
      files.push_back(entry.path().lexically_relative(folder).generic_string());
    }
  }
  std::sort(files.begin(), files.end());
  return files;
}

std::string first_line(const std::string& file) {
  std::error_code error;
  if (!fs::is_regular_file(file, error)) return "";
  std::ifstream stream(file);
  constexpr std::size_t kLongest = 4096;  // the file may be anything
  std::string start(kLongest, '\0');
  stream.read(start.data(), static_cast<std::streamsize>(start.size()));
  start.resize(static_cast<std::size_t>(stream.gcount()));
  if (start.compare(0, 3, "\xEF\xBB\xBF") == 0) start.erase(0, 3);
  const std::size_t first = start.find_first_not_of(" \t\r\n");
  if (first == std::string::npos) return "";
  std::string line = start.substr(first, start.find('\n', first) - first);
  line.erase(line.find_last_not_of(" \t\r") + 1);
  return line;
}

}  // namespace hyperfd
