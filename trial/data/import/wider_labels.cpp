#include <cmath>

#include "trial/data/image_file.h"
#include "trial/data/import/label_format.h"
#include "trial/data/import/text_file.h"

namespace hyperfd {
namespace {

// A line of a face: x y w h, or these and blur, expression, illumination, invalid, occlusion, pose.
constexpr std::size_t kBoxNumbers = 4, kAllNumbers = 10, kInvalid = 7;

std::size_t read_count(TextFile& text, const std::string& image) {
  const std::string expected = "the number of faces of " + quoted(image);
  if (!text.next()) text.fail_at_end(expected);
  const auto numbers = parse_numbers(text.line());
  if (!numbers || numbers->size() != 1 || !(numbers->front() >= 0) || numbers->front() > 1e6 ||
      numbers->front() != std::floor(numbers->front())) {
    text.fail(expected);
  }
  return static_cast<std::size_t>(numbers->front());
}

bool is_no_face(const std::vector<double>& numbers) {
  return numbers.size() >= kBoxNumbers && numbers[0] == 0 && numbers[1] == 0 && numbers[2] == 0 && numbers[3] == 0;
}

}  // namespace

bool is_wider_file(const std::string& source) {
  const std::string line = first_line(source);
  return is_image_name(line) && line[0] != '#';
}

std::vector<LabelledImage> read_wider_labels(const std::string& source, const std::vector<std::string>&,
                                             Warnings& warnings) {
  std::vector<LabelledImage> images;
  TextFile text(source);
  while (text.next()) {
    const std::string name = text.line();
    if (!is_image_name(name)) text.fail("an image's file name");
    LabelledImage image;
    image.names = {name};
    image.place = text.place();
    const std::size_t count = read_count(text, name);
    for (std::size_t i = 0; i < count; ++i) {
      const std::string expected =
          "face " + std::to_string(i + 1) + " of " + std::to_string(count) + " of " + quoted(name);
      if (!text.next()) text.fail_at_end(expected);
      if (is_image_name(text.line())) text.fail(expected);
      const auto numbers = parse_numbers(text.line());
      if (!numbers || (numbers->size() != kBoxNumbers && numbers->size() != kAllNumbers)) {
        warnings.add("lines that are not 4 or 10 numbers, skipped", text.example());
        continue;
      }
      if (is_no_face(*numbers)) continue;  // some releases count 1 for an image without faces
      LabelledFace labelled;
      labelled.place = text.place();
      const auto number = [&](std::size_t k) { return static_cast<float>((*numbers)[k]); };
      labelled.face.box = {number(0), number(1), number(2), number(3)};
      labelled.face.ignored = numbers->size() == kAllNumbers && (*numbers)[kInvalid] != 0;
      image.faces.push_back(labelled);
    }
    // An image of 0 faces is followed by a line of zeros all the same.
    if (count == 0 && text.next()) {
      const auto numbers = parse_numbers(text.line());
      if (!numbers || !is_no_face(*numbers)) text.put_back();
    }
    images.push_back(std::move(image));
  }
  return images;
}

}  // namespace hyperfd
