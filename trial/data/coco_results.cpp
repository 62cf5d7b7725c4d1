#include "trial/data/coco_results.h"

#include <array>
#include <charconv>

#include "tuner/base/files.h"
#include "tuner/base/json.h"

namespace hyperfd {
namespace {

// The shortest text that reads as the same float; Json would write the double it becomes, 17 digits long.
void append(std::string& text, float number) {
  std::array<char, 32> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  text.append(digits.data(), end);
}

}  // namespace

void CocoResults::add(const std::string& image_id, const std::string& file_name, int frame,
                      const std::vector<Detection>& detections) {
  const std::string name = Json(file_name).dump(-1, ' ', false, Json::error_handler_t::replace);
  for (const auto& [box, score, landmarks] : detections) {
    entries_ += entries_.empty() ? "\n" : ",\n";
    entries_ += "{\"image_id\": " + image_id + ", \"file_name\": " + name;
    if (frame >= 0) entries_ += ", \"frame\": " + std::to_string(frame);
    const char* separator = ", \"bbox\": [";
    for (const float number : {box.x, box.y, box.width, box.height}) {
      entries_ += separator;
      append(entries_, number);
      separator = ", ";
    }
    entries_ += "], \"score\": ";
    append(entries_, score);
    separator = ", \"keypoints\": [";
    for (const Point& point : landmarks) {
      entries_ += separator;
      append(entries_, point.x);
      entries_ += ", ";
      append(entries_, point.y);
      entries_ += ", 2";
      separator = ", ";
    }
    entries_ += "], \"category_id\": " + category_id_ + "}";
  }
}

void CocoResults::write(const std::string& file) const {
  write_file_atomically(file, "[" + entries_ + (entries_.empty() ? "]\n" : "\n]\n"));
}

}  // namespace hyperfd
