#include "trial/data/import/label_format.h"
#include "trial/data/import/text_file.h"

namespace hyperfd {
namespace {

// A line of a face: x y w h; in training files also five times x y visibility; in most of these a score at last.
constexpr std::size_t kBox = 4, kWithLandmarks = kBox + 15, kWithScore = kWithLandmarks + 1;

// Absent landmarks are −1 −1 −1. A visible one may lie a little outside the image, so a negative x alone says nothing.
std::optional<Landmarks> landmarks_of(const std::vector<double>& numbers) {
  if (numbers.size() < kWithLandmarks) return std::nullopt;
  Landmarks landmarks;
  for (std::size_t i = 0; i < landmarks.size(); ++i) {
    const double x = numbers[kBox + 3 * i], y = numbers[kBox + 3 * i + 1], visibility = numbers[kBox + 3 * i + 2];
    if (!(visibility >= 0) || (x == -1 && y == -1)) return std::nullopt;
    landmarks[i] = {static_cast<float>(x), static_cast<float>(y)};
  }
  return landmarks;
}

}  // namespace

bool is_retinaface_file(const std::string& source) {
  return first_line(source).compare(0, 2, "# ") == 0;
}

std::vector<LabelledImage> read_retinaface_labels(const std::string& source, const std::vector<std::string>&,
                                                  Warnings& warnings) {
  std::vector<LabelledImage> images;
  TextFile text(source);
  while (text.next()) {
    if (text.line()[0] == '#') {
      const std::size_t name = text.line().find_first_not_of("# \t");
      if (name == std::string::npos) text.fail("an image's file name after #");
      images.emplace_back();
      images.back().names = {text.line().substr(name)};
      images.back().place = text.place();
      continue;
    }
    if (images.empty()) text.fail("\"# \" and an image's file name before the first face");
    const auto numbers = parse_numbers(text.line());
    if (!numbers || (numbers->size() != kBox && numbers->size() != kWithLandmarks && numbers->size() != kWithScore)) {
      warnings.add("lines that are not 4, 19 or 20 numbers, skipped", text.example());
      continue;
    }
    LabelledFace labelled;
    labelled.place = text.place();
    const auto number = [&](std::size_t k) { return static_cast<float>((*numbers)[k]); };
    labelled.face.box = {number(0), number(1), number(2), number(3)};
    labelled.face.landmarks = landmarks_of(*numbers);
    images.back().faces.push_back(labelled);
  }
  return images;
}

}  // namespace hyperfd
