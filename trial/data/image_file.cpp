#include "trial/data/image_file.h"

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string_view>
#include <utility>

#include <opencv2/imgcodecs.hpp>

#include "tuner/base/error.h"
#include "tuner/base/files.h"

namespace hyperfd {

const std::vector<std::string>& image_endings() {
  static const std::vector<std::string> endings = {".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff",
                                                   ".JPG", ".JPEG", ".PNG", ".BMP", ".WEBP", ".TIF", ".TIFF"};
  return endings;
}

bool has_ending(const std::string& name, const std::vector<std::string>& endings) {
  std::string ending = std::filesystem::path(name).extension().string();
  std::transform(ending.begin(), ending.end(), ending.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return std::find(endings.begin(), endings.end(), ending) != endings.end();
}

bool is_image_name(const std::string& name) {
  return has_ending(name, image_endings());
}

bool is_complete_jpeg(std::string_view bytes) {
  const auto at = [&](std::size_t i) { return static_cast<std::uint8_t>(bytes[i]); };
  std::size_t i = 2;  // after the start-of-image marker
  while (i + 1 < bytes.size()) {
    if (at(i) != 0xFF) {  // entropy-coded data between markers
      ++i;
      continue;
    }
    const std::uint8_t marker = at(i + 1);
    if (marker == 0xD9) return true;
    if (marker == 0xFF) {
      ++i;  // fill byte
    } else if (marker == 0x00 || marker == 0x01 || (marker >= 0xD0 && marker <= 0xD8)) {
      i += 2;  // a stuffed byte, or a marker without a length
    } else {
      if (i + 3 >= bytes.size()) return false;
      i += 2 + (static_cast<std::size_t>(at(i + 2)) << 8 | at(i + 3));
    }
  }
  return false;
}

namespace {

std::uint64_t big_endian(std::string_view bytes, std::size_t at, std::size_t count) {
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < count; ++i) number = number << 8 | static_cast<std::uint8_t>(bytes[at + i]);
  return number;
}

// The width and height that the header of a JPEG or PNG announces. Others come with a limit of their own in OpenCV.
std::optional<std::pair<std::uint64_t, std::uint64_t>> announced_size(std::string_view bytes) {
  constexpr std::string_view kPng = "\x89PNG\r\n\x1a\n";
  if (bytes.substr(0, kPng.size()) == kPng && bytes.size() >= 24) {
    return std::make_pair(big_endian(bytes, 16, 4), big_endian(bytes, 20, 4));
  }
  if (bytes.substr(0, 2) != "\xFF\xD8") return std::nullopt;
  for (std::size_t i = 2; i + 9 <= bytes.size();) {
    const std::uint64_t marker = big_endian(bytes, i, 2);
    // Start of frame: all of 0xFFC0 to 0xFFCF but the tables of Huffman codes and of arithmetic coding, and JPG.
    if (marker >= 0xFFC0 && marker <= 0xFFCF && marker != 0xFFC4 && marker != 0xFFC8 && marker != 0xFFCC) {
      return std::make_pair(big_endian(bytes, i + 7, 2), big_endian(bytes, i + 5, 2));
    }
    const std::uint64_t code = marker & 0xFF;
    if (marker < 0xFF00 || marker == 0xFFFF) {
      ++i;  // filling, or bytes that a decoder skips
    } else {
      const bool has_length = code != 0 && code != 1 && (code < 0xD0 || code > 0xD8);
      i += has_length ? 2 + big_endian(bytes, i + 2, 2) : 2;
    }
  }
  return std::nullopt;
}

}  // namespace

cv::Mat read_image(const std::string& file, Orientation orientation) {
  const std::string bytes = read_file(file);
  if (bytes.empty()) throw InputError(file + ": expected an image, the file is empty");
  if (bytes.compare(0, 2, "\xFF\xD8") == 0 && !is_complete_jpeg(bytes)) {
    throw InputError(file + ": the JPEG data ends before the image does");
  }
  if (const auto size = announced_size(bytes); size && size->first * size->second > kMostPixels) {
    throw InputError(file + ": expected at most " + std::to_string(kMostPixels) + " pixels, got " +
                     std::to_string(size->first) + "×" + std::to_string(size->second));
  }
  cv::Mat image;
  try {
    const cv::Mat data(1, static_cast<int>(bytes.size()), CV_8U, const_cast<char*>(bytes.data()));
    image = cv::imdecode(data,
                         cv::IMREAD_COLOR | (orientation == Orientation::kStored ? cv::IMREAD_IGNORE_ORIENTATION : 0));
  } catch (const cv::Exception& error) {
    throw InputError(file + ": cannot be decoded: " + error.err);
  }
  if (image.empty()) throw InputError(file + ": expected an image, the content cannot be decoded");
  return image;
}

cv::Mat read_annotated_image(const std::string& file, int width, int height) {
  cv::Mat image = read_image(file);
  const bool is_turned = width != height && width == image.rows && height == image.cols;
  return is_turned ? read_image(file, Orientation::kShown) : image;
}

}  // namespace hyperfd
