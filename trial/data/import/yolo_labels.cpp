#include <algorithm>
#include <cmath>
#include <filesystem>

#include "trial/data/import/category_choice.h"
#include "trial/data/import/label_format.h"
#include "trial/data/import/text_file.h"
#include "tuner/base/error.h"

namespace fs = std::filesystem;

namespace hyperfd {
namespace {

// class cx cy w h, and a detector's confidence where labels were made by one.
constexpr std::size_t kNumbers = 5, kWithConfidence = 6;

std::string labels_folder(const std::string& source) {
  const std::string usual = source + "/labels";
  return fs::is_directory(usual) ? usual : source;
}

// Lists that lie among the labels but are none.
bool is_other_list(const std::string& file) {
  const std::string name = fs::path(file).filename().string();
  for (const char* other : {"classes.txt", "predefined_classes.txt", "train.txt", "val.txt", "test.txt"}) {
    if (name == other) return true;
  }
  return false;
}

// Beside the labels, or in images/ where the labels are in labels/.
std::vector<std::string> image_names(const std::string& file) {
  const fs::path beside = fs::path(file).replace_extension();
  fs::path moved;
  bool is_moved = false;
  for (const fs::path& part : beside) {
    is_moved |= part == "labels";
    moved /= part == "labels" ? "images" : part;
  }
  std::vector<std::string> names = {beside.generic_string()};
  if (is_moved) names.push_back(moved.generic_string());
  return names;
}

bool is_label_line(const std::string& line) {
  const auto numbers = parse_numbers(line);
  return numbers && (numbers->size() == kNumbers || numbers->size() == kWithConfidence);
}

}  // namespace

bool is_yolo_folder(const std::string& source) {
  std::error_code error;
  const std::string folder = labels_folder(source);
  const fs::directory_options options = fs::directory_options::skip_permission_denied;
  for (fs::recursive_directory_iterator entry(folder, options, error), end; !error && entry != end;
       entry.increment(error)) {
    if (entry->path().extension() == ".txt" && is_label_line(first_line(entry->path().string()))) return true;
  }
  return false;
}

std::vector<LabelledImage> read_yolo_labels(const std::string& source, const std::vector<std::string>& categories,
                                            Warnings& warnings) {
  const std::string folder = labels_folder(source);
  const std::vector<std::string> files = files_below(folder, ".txt");
  CategoryChoice choice(categories, "0");
  std::vector<LabelledImage> images;
  for (const std::string& file : files) {
    if (is_other_list(file)) continue;
    LabelledImage image;
    image.place = file;
    image.names = image_names(file);
    image.is_relative = true;
    TextFile text(folder + "/" + file);
    while (text.next()) {
      const std::string example = file + text.example().substr(folder.size() + 1 + file.size());
      if (!is_label_line(text.line())) {
        warnings.add("lines that are not a class and 4 numbers, skipped", example);
        continue;
      }
      const std::vector<double> numbers = *parse_numbers(text.line());
      if (!(numbers[0] >= 0) || numbers[0] != std::floor(numbers[0]) || numbers[0] > 1e6) {
        warnings.add("lines whose class is not an index, skipped", example);
        continue;
      }
      if (!choice.takes(std::to_string(static_cast<int>(numbers[0])), example, warnings)) continue;
      constexpr double kTolerance = 0.01;  // for rounding, and boxes a bit over the edge
      if (std::any_of(numbers.begin() + 1, numbers.begin() + kNumbers,
                      [](double number) { return !(number >= -kTolerance) || !(number <= 1 + kTolerance); })) {
        warnings.add("boxes that are not fractions of the image's size, skipped", example);
        continue;
      }
      const double width = numbers[3], height = numbers[4];
      LabelledFace labelled;
      labelled.place = example.substr(0, example.find(": "));
      labelled.face.box = {static_cast<float>(numbers[1] - width / 2), static_cast<float>(numbers[2] - height / 2),
                           static_cast<float>(width), static_cast<float>(height)};
      image.faces.push_back(labelled);
    }
    images.push_back(std::move(image));
  }
  if (images.empty()) throw InputError(folder + ": expected YOLO's .txt files, there are none");
  choice.check(folder);
  return images;
}

}  // namespace hyperfd
